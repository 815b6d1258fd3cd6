"""Runs a program on a pseudo-terminal and types at it. stdin: {"argv", "cwd", "env", "columns", "steps": [{"wait", "send"}], "pipeStdout"}.
stdout: {"code", "screen" (all that was written to the terminal), "stdout" (if piped), "restored" (terminal settings as before), "stuck"}."""
import fcntl, json, os, pty, re, select, signal, struct, subprocess, sys, termios, time

# seconds; a machine may be busy
PATIENCE = 100

job = json.load(sys.stdin)
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, job.get("columns", 80), 0, 0))
before = termios.tcgetattr(slave)


def lead():
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


piped = job.get("pipeStdout", False)
child = subprocess.Popen(job["argv"], cwd=job["cwd"], env=job["env"], stdin=slave, stderr=slave,
                         stdout=subprocess.PIPE if piped else slave, preexec_fn=lead)
screen, stuck = "", None


def read(seconds):
    global screen
    if select.select([master], [], [], seconds)[0]:
        try:
            screen += os.read(master, 65536).decode("utf-8", "replace")
        except OSError:
            pass


def text(start):
    """what a person has read since then: the screen without control sequences"""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen[start:])


seen = 0
for step in job["steps"]:
    deadline = time.time() + PATIENCE
    while step["wait"] not in text(seen) and time.time() < deadline and child.poll() is None:
        read(0.1)
    if step["wait"] not in text(seen):
        stuck = step["wait"]
        break
    seen = len(screen)
    time.sleep(0.1)
    os.write(master, step["send"].encode())
deadline = time.time() + PATIENCE
while child.poll() is None and time.time() < deadline and stuck is None:
    read(0.1)
if child.poll() is None:
    stuck = stuck or "the end"
    child.send_signal(signal.SIGKILL)
while select.select([master], [], [], 0.2)[0]:
    read(0)
out = child.stdout.read().decode() if piped else None
json.dump({"code": child.wait(), "screen": screen, "stdout": out, "restored": termios.tcgetattr(slave) == before, "stuck": stuck}, sys.stdout)
