-- Purpose: end the query that runs under a mark, wherever it stands.
-- Parameters: mark.
KILL QUERY WHERE user = currentUser() AND Settings['log_comment'] = {mark:String} ASYNC
