-- Purpose: a condition that keeps the users whose name or e-mail contains a text.
-- Parameters: q.
notEmpty({q:String})
AND
(
    position(
        caseFoldUTF8(trim(concat(ifNull(first_name, ''), ' ', ifNull(last_name, '')))),
        caseFoldUTF8({q:String})
    ) > 0
    OR position(caseFoldUTF8(ifNull(email, '')), caseFoldUTF8({q:String})) > 0
)
