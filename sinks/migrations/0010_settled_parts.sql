-- Reading with FINAL costs next to nothing where a partition is one merged part, and as much as the
-- reading itself where it is several. A month that nobody wrote to for some hours becomes one part;
-- the directory, which is one partition, after an hour. Late events begin the wait anew, so that
-- a large month is not merged again for each of them.

ALTER TABLE usage_daily MODIFY SETTING
    min_age_to_force_merge_seconds = 14400, min_age_to_force_merge_on_partition_only = 1;
ALTER TABLE users MODIFY SETTING
    min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1;
ALTER TABLE team_members MODIFY SETTING
    min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1;
ALTER TABLE seat_changes MODIFY SETTING
    min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1;
