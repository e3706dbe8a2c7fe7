-- Purpose: the finished rows of grain user_product that the filters choose: one for each (team,
--   user, product, access) that has usage in R or was assigned at some moment of R. Every other
--   grain, the snapshot, the series and the exports add these up.
-- Slots (SQL from files and allow-lists): uses, seats, held_seats, people, prices, filters.
-- Parameters: those of the slots, and frequent_from (fewest days used that are frequent without
--   prices).
-- Columns: the report's of this grain but averages, days_inactive and hashed_user_id; and user_id,
--   early_days and late_days (bits, see uses.sql), is_seat (whether it takes up a seat of a subscription).
WITH
    collections AS
    (
        SELECT product_id, members
        FROM products FINAL
        WHERE tenant = {tenant:String} AND kind = 'collection' AND NOT deleted
    ),
    -- Use and seat of each product by itself.
    own AS
    (
        SELECT
            team_id, user_id, product_id, access,
            groupBitOr(each.early_days) AS early_days,
            groupBitOr(each.late_days) AS late_days,
            sum(each.launches) AS launches,
            sum(each.tokens_used) AS tokens_used,
            max(each.latest_version) AS latest_version,
            max(each.seen_at) AS seen_at,
            max(each.assigned_now) AS assigned_now,
            max(each.held_in_range) AS held_in_range,
            argMax(each.path, notEmpty(each.path.1)) AS path
        FROM
        (
            SELECT
                team_id, user_id, product_id, access,
                early_days, late_days, launches, tokens_used, latest_version, seen_at,
                false AS assigned_now,
                false AS held_in_range,
                ('', '', toDateTime64(0, 3, 'UTC'), toDateTime64(0, 3, 'UTC')) AS path
            FROM ($uses)
            UNION ALL
            SELECT
                team_id, user_id, product_id, access,
                0, 0, 0, 0, '', toDateTime64(0, 3, 'UTC'),
                assigned_now, held_in_range, path
            FROM ($seats)
        ) AS each
        GROUP BY team_id, user_id, product_id, access
    ),
    -- The collections that a user held in R; those that are still assigned come first.
    held AS
    (
        SELECT
            seat.team_id AS team_id,
            seat.user_id AS user_id,
            'subscription' AS access,
            arraySort(
                each -> (NOT each.3, each.1),
                groupArray((seat.product_id, collections.members, seat.assigned_now, seat.path))
            ) AS held_collections
        FROM ($held_seats) AS seat
        INNER JOIN collections ON collections.product_id = seat.product_id
        WHERE seat.held_in_range AND seat.access = 'subscription'
        GROUP BY team_id, user_id
    ),
    -- Use of a member goes to the collection too, unless the user is assigned to it on its own.
    given AS
    (
        SELECT
            *,
            notEmpty(takers) AND (early_days > 0 OR late_days > 0) AS is_taken,
            arrayJoin(arrayPushFront(arrayDistinct(takers.1), product_id)) AS target
        FROM
        (
            SELECT
                own.*,
                arrayFilter(
                    each -> NOT own.assigned_now AND each.1 != own.product_id AND has(each.2, own.product_id),
                    held.held_collections
                ) AS takers
            FROM own
            LEFT JOIN held USING (team_id, user_id, access)
        )
    ),
    finished AS
    (
        SELECT
            given.team_id AS team_id,
            given.user_id AS user_id,
            given.target AS product_id,
            given.access AS access,
            groupBitOr(given.early_days) AS early_days,
            groupBitOr(given.late_days) AS late_days,
            sumIf(given.launches, target = given.product_id) AS launches,
            sumIf(given.tokens_used, target = given.product_id) AS tokens_used,
            maxIf(given.latest_version, target = given.product_id) AS latest_version,
            max(given.seen_at) AS seen_at,
            maxIf(given.held_in_range, target = given.product_id) AS held_in_range,
            maxIf(if(is_taken, takers[1].3, given.assigned_now), target = given.product_id) AS assigned_now,
            anyIf(if(is_taken, takers[1].4, given.path), target = given.product_id) AS path,
            anyIf(if(is_taken, takers[1].1, ''), target = given.product_id) AS via
        FROM given
        GROUP BY team_id, user_id, target, access
        HAVING early_days > 0 OR late_days > 0 OR held_in_range
    ),
    named AS
    (
        SELECT
            finished.team_id AS team_id,
            ifNull(nullIf(team.name, ''), finished.team_id) AS team,
            finished.user_id AS user_id,
            person.first_name AS first_name,
            person.last_name AS last_name,
            person.email AS email,
            finished.product_id AS product_id,
            ifNull(nullIf(product.name, ''), finished.product_id) AS product,
            -- A collection's use has no version, nor has what was sent without one.
            if(
                product.kind = 'collection' AND finished.access = 'subscription',
                NULL,
                nullIf(finished.latest_version, '')
            ) AS version,
            finished.access AS access,
            multiIf(finished.assigned_now, 'assigned', notEmpty(finished.path.1), 'unassigned', NULL) AS seat,
            -- What a subscription pays for; a collection's member is paid for by the collection.
            finished.assigned_now AND finished.access = 'subscription' AND finished.via = '' AS is_seat,
            nullIf(finished.path.1, '') AS assignment,
            nullIf(finished.path.2, '') AS `group`,
            nullIf(finished.path.3, toDateTime64(0, 3, 'UTC')) AS assigned_at,
            nullIf(finished.path.4, toDateTime64(0, 3, 'UTC')) AS unassigned_at,
            -- A seat that could be taken back, and has been held for long enough to be judged.
            finished.assigned_now
                AND finished.path.1 = 'direct'
                AND finished.path.3 <= {as_of:DateTime64(3, 'UTC')} - INTERVAL 30 DAY AS is_ripe,
            finished.early_days AS early_days,
            finished.late_days AS late_days,
            toInt64(bitCount(early_days) + bitCount(late_days)) AS days_used,
            finished.launches AS launches,
            finished.tokens_used AS tokens_used,
            nullIf(finished.seen_at, toDateTime64(0, 3, 'UTC')) AS last_accessed,
            nullIf(finished.via, '') AS via,
            finished.held_in_range AS held_in_range,
            if(price.is_known, price.frequent_from, {frequent_from:Int64}) AS frequent_from
        FROM finished
        LEFT JOIN
        (
            SELECT team_id, name FROM teams FINAL WHERE tenant = {tenant:String} AND NOT deleted
        ) AS team ON team.team_id = finished.team_id
        LEFT JOIN
        (
            SELECT product_id, name, kind FROM products FINAL WHERE tenant = {tenant:String} AND NOT deleted
        ) AS product ON product.product_id = finished.product_id
        LEFT JOIN ($people) AS person ON person.user_id = finished.user_id
        LEFT JOIN ($prices) AS price ON price.product_id = finished.product_id
    ),
    judged AS
    (
        SELECT
            *,
            multiIf(
                (ifNull(seat = 'assigned', false) OR access = 'flex') AND days_used >= 1, 'active',
                held_in_range AND days_used = 0, 'inactive',
                NULL
            ) AS activity,
            multiIf(
                days_used = 0, 'unused',
                days_used < frequent_from, 'occasional',
                'frequent'
            ) AS frequency
        FROM named
    )
SELECT
    *,
    multiIf(
        via IS NOT NULL, NULL,
        is_ripe AND frequency = 'unused', 'unassign',
        is_ripe AND access = 'subscription' AND frequency = 'occasional', 'switch_to_flex',
        access = 'flex' AND frequency = 'frequent', 'switch_to_subscription',
        NULL
    ) AS recommendation
FROM judged
WHERE $filters
