"""Gateway: CloudEvents over HTTP onto the log; 2xx only after the broker's acknowledgement."""
