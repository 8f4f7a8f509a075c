create table if not exists counts (
    source_id text not null,        -- '' for calls whose write key no source has
    minute    integer not null,     -- minutes since the epoch
    outcome   text not null,        -- accepted | duplicate | discarded | filtered | rejected
    code      text not null,        -- discard code (spec §12.4) or reason of the rejection, else ''
    type      text not null,        -- identify | track | … | other
    events    integer not null,
    primary key (source_id, minute, outcome, code, type)
) without rowid;

create table if not exists discards (
    id          integer primary key,
    source_id   text not null,
    code        text not null,
    received_at integer not null,   -- milliseconds since the epoch
    type        text not null,
    message_id  text,
    payload     blob not null
);
create index if not exists discards_by_code on discards (source_id, code, id);
create index if not exists discards_by_age on discards (received_at);

create table if not exists ring (
    source_id   text not null,
    slot        integer not null,   -- seq modulo the ring's size
    seq         integer not null,
    received_at integer not null,
    type        text not null,
    message_id  text,
    verdict     text not null,      -- accepted | duplicate | discarded | filtered
    code        text not null,
    payload     blob not null,
    primary key (source_id, slot)
) without rowid;

create table if not exists covered (
    only   integer primary key check (only = 1),
    offset integer not null         -- accepted events are counted up to this log offset
);

-- Discarded events once more, with what they were about. Bounded: NAMES in ledger.py.
create table if not exists failed (
    source_id   text not null,
    minute      integer not null,
    code        text not null,
    event_type  text not null,
    event_name  text not null,
    app_version text not null,
    count       integer not null,
    primary key (source_id, minute, code, event_type, event_name, app_version)
) without rowid;
