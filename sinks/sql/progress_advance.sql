-- Purpose: move each partition's progress, where the store still knows what the writer stored
--   before: one that was set back to an older copy is not moved over what it has lost.
-- Parameters: partitions Array(UInt16), positions and known Array(UInt64), appended_ms and
--   caught_up_ms Array(Int64) side by side; fold_version UInt16.
INSERT INTO progress (partition, position, appended_at, caught_up_at, fold_version)
SELECT
    given.partition,
    given.place.2,
    fromUnixTimestamp64Milli(given.place.3, 'UTC'),
    fromUnixTimestamp64Milli(given.place.4, 'UTC'),
    {fold_version:UInt16}
FROM
(
    SELECT
        arrayJoin(arrayZip(
            {partitions:Array(UInt16)}, {positions:Array(UInt64)},
            {appended_ms:Array(Int64)}, {caught_up_ms:Array(Int64)}, {known:Array(UInt64)}
        )) AS place,
        place.1 AS partition
) AS given
LEFT JOIN
(
    SELECT partition, max(position) AS position FROM progress GROUP BY partition
) AS stored ON stored.partition = given.partition
WHERE given.place.5 <= stored.position
