-- What uploads in the background need beside the customers: the job, which is also its progress, and the file until the job ends.
create table if not exists upload_job (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null,
  file_name text,
  state text not null default 'receiving' check (state in ('receiving', 'queued', 'running', 'done', 'failed', 'cancelled')),
  -- how often a worker has begun; who holds an older number has no say any more
  attempt integer not null default 0,
  cancel_requested boolean not null default false,
  total_bytes bigint not null default 0,
  bytes bigint not null default 0,
  rows bigint not null default 0,
  result jsonb,
  error_code text,
  error_message text,
  created_at timestamptz not null default now(),
  ended_at timestamptz
);

create table if not exists upload_job_chunk (
  job_id uuid not null references upload_job on delete cascade,
  nr integer not null,
  bytes bytea not null,
  primary key (job_id, nr)
);
