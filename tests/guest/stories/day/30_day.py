# SPDX-License-Identifier: GPL-2.0-or-later
"""A scripted working day: documents, archives, repositories, scripts, logins,
timers, logs."""

import pathlib
import time

from lib import fact, protects, run, sh, wait_for

began = time.monotonic()
sh("""
mkdir -p documents; cd documents
for i in $(seq 60); do echo "line of document $i" >letter-$i.txt; done
for i in $(seq 20); do echo more >>letter-$i.txt; mv letter-$i.txt old-$i.txt
	cp old-$i.txt copy-$i.txt; done
sed -i 's/line/row/' letter-5*.txt
grep -rl document . | wc -l | grep -qx 80
cd ..; tar czf documents.tar.gz documents; tar cJf documents.tar.xz documents
mkdir unpacked; tar -C unpacked -xzf documents.tar.gz
diff -r documents unpacked/documents
gzip -t documents.tar.gz; bzip2 -k documents.tar.xz; file documents.tar.gz
rm -r unpacked
""", user="worker")

sh("""
git config --global user.name Worker
git config --global user.email worker@example.org
git init -q tree; cd tree
for i in $(seq 10); do echo $i >file-$i; git add -A; git commit -qm "step $i"
done
git checkout -q -b other; echo changed >file-1; git commit -qam other
git checkout -q -; git merge -q other; git gc -q; git fsck
cd ..; git clone -q tree clone; test $(git -C clone log --oneline | wc -l) = 11
""", user="worker")

sh("""
cat >tool.py <<'E'
#!/usr/bin/python3
import csv, json, sqlite3, sys, zipfile
with open('table.csv', 'w') as f:
    csv.writer(f).writerows([i, i * i] for i in range(1000))
db = sqlite3.connect('table.db')
db.execute('create table t (a, b)')
db.executemany('insert into t values (?, ?)', csv.reader(open('table.csv')))
db.commit()
with zipfile.ZipFile('table.zip', 'w', zipfile.ZIP_DEFLATED) as z:
    z.write('table.csv'); z.write('table.db')
assert zipfile.ZipFile('table.zip').testzip() is None
print(json.dumps(db.execute('select count(*) from t').fetchone()))
E
chmod +x tool.py; for i in 1 2 3; do rm -f table.*; ./tool.py; done
python3 -m venv --without-pip env; env/bin/python -c 'import sys'
""", user="worker")

# Logins, a cron job, timers, a service of a worker's own.
for _ in range(3):
    assert sh("id -un", user="worker") == "worker\n"
stamp = pathlib.Path("/home/worker/by-cron")
run("crontab", "-u", "worker", "-",
    text=f"* * * * * echo done >{stamp}\n")
run("systemd-run", "--on-active=1", "--unit=later", "touch",
    "/run/by-timer")
run("systemd-run", "--wait", "--uid=worker", "-p", "PrivateTmp=yes",
    "bash", "-c", "cp /bin/true /tmp/mine && /tmp/mine")
wait_for(pathlib.Path("/run/by-timer").exists, "the timer ran")

# Logs.
pathlib.Path("/var/log/own.log").write_text("line\n" * 10000)
pathlib.Path("/etc/logrotate.d/own").write_text(
    "/var/log/own.log {\n\trotate 3\n\tcompress\n\tcreate\n}\n")
run("logrotate", "-f", "/etc/logrotate.conf")
assert pathlib.Path("/var/log/own.log.1.gz").exists()
run("logger", "a line of the day")
wait_for(lambda: "a line of the day" in run("journalctl", "-b", "-t", "root",
                                            "--no-pager"), "it is logged")
run("journalctl", "--rotate")
run("journalctl", "--vacuum-size=1M")
run("systemd-tmpfiles", "--clean")
run("systemctl", "daemon-reload")
run("systemctl", "restart", "cron", "systemd-logind", "systemd-journald",
    "systemd-udevd")
run("udevadm", "trigger")
run("udevadm", "settle")
wait_for(stamp.exists, "cron ran")
run("crontab", "-u", "worker", "-r")
protects()
fact(f"the day took {time.monotonic() - began:.0f} s")
