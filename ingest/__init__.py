"""Gateway: takes CloudEvents over HTTP and appends them to the log; answers 2xx only after the broker's ack."""
