"""Child processes that never outlive Llamero.

    spawner      starts children, from one thread that lives as long as the app
    child        one child: its exit, its output, its stop
    reader       the thread that reads a child's output, and can be told to leave off
    output       the last lines, the line cutter and the limit on what reaches the log
    environment  what a child inherits, and the mark by which its descendants are known
    tree         all processes of one child, or of a whole run, and how they are ended
    table        the system's processes, as far as the tree needs them
    guardian     a program of its own that ends the children when the app is gone
    guard        the app's side of the guardian
    records      what is written down for the next start
    sweep        ends what an earlier run left behind
    job_object   Windows: the kernel's own way of ending children with their parent

Three walls stand one behind the other: the parent-death signal on Linux and the job object on Windows, the guardian
on every POSIX, and the sweep at the next start. `table`, `tree` and `guardian` import the standard library alone (on
Linux) and this file imports nothing, so that the guardian starts in 20 ms and stays small.
"""
