-- Purpose: the days that the bits of a chosen row stand for, see uses.sql, in their order.
-- Parameters: from_day.
arrayMap(
    number -> {from_day:Date} + number,
    arrayConcat(
        bitPositionsToArray(early_days),
        arrayMap(number -> number + 256, bitPositionsToArray(late_days))
    )
)
