-- How fast models were: one row for each run of a bench.

CREATE TABLE bench_runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    model TEXT NOT NULL,
    run BLOB NOT NULL               -- JSON of BenchRun; its id is that of the row
);
CREATE INDEX bench_runs_by_model ON bench_runs (model, id);
