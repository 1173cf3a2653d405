// SPDX-License-Identifier: GPL-2.0
/*
 * First process of every lab guest, under QEMU (from the initrd) and under User Mode Linux (from the host's root).
 *
 * Makes a root the guest may write to - the host's files, read-only, under an overlay on tmpfs -, mounts what
 * Linux programs expect, and becomes scripts/lib/guest, which calls it again with "off" to stop the machine. Only
 * two directories reach back to the host: the run's control directory at /run/l3vpn and the results directory at
 * its own path. Static; the kernel command line says where things are:
 *	lab.top=DIR	the working tree
 *	lab.modules=DIR	what belongs at /lib/modules
 *	lab.results=DIR	the results directory (9p tag "results", or hostfs)
 *	lab.ctl=DIR	the control directory (hostfs only; under QEMU it is the 9p tag "ctl")
 *	lab.probe	power off at once: the question was only whether this machine boots
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WORK	"/mnt"		/* a directory that every Debian root has */
#define NEW	WORK "/new"

static char cmdline[4096];
static bool uml;

__attribute__((noreturn)) static void leave(void)
{
	sync();
	reboot(uml ? RB_POWER_OFF : RB_AUTOBOOT);
	_exit(1);
}

/* No way to go on without this step: say which and stop the machine; the missing status tells the host. */
__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	fputs("lab init: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, ": %s\n", strerror(err));
	fflush(NULL);
	leave();
}

/* Value of KEY= on the kernel command line, or NULL. */
static const char *option(const char *key)
{
	static char value[8][PATH_MAX];
	static int used;
	size_t len = strlen(key);
	char *p = cmdline;

	while ((p = strstr(p, key))) {
		if ((p == cmdline || p[-1] == ' ') && p[len] == '=') {
			char *out = value[used++ % 8];
			size_t n = strcspn(p + len + 1, " \t\n");

			if (n >= PATH_MAX)
				n = PATH_MAX - 1;
			memcpy(out, p + len + 1, n);
			out[n] = '\0';
			return out;
		}
		p += len;
	}
	return NULL;
}

static void make_path(const char *path)
{
	char buf[PATH_MAX];
	char *p;

	snprintf(buf, sizeof(buf), "%s", path);
	for (p = buf + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		mkdir(buf, 0755);
		*p = '/';
	}
	if (mkdir(buf, 0755) && errno != EEXIST)
		fail("mkdir %s", buf);
}

static void do_mount(const char *src, const char *at, const char *type, unsigned long flags, const char *opts)
{
	make_path(at);
	if (mount(src, at, type, flags, opts))
		fail("mount %s at %s (%s)", src, at, type);
}

static void try_mount(const char *src, const char *at, const char *type, const char *opts)
{
	if (mount(src, at, type, 0, opts) && errno != ENODEV && errno != ENOENT && errno != EBUSY)
		fprintf(stderr, "lab init: mount %s at %s: %s\n", src, at, strerror(errno));
}

/* The initrd's drivers, in the order of /drivers. */
static void load_drivers(void)
{
	FILE *f = fopen("/drivers", "r");
	char line[256];

	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		int fd;

		line[strcspn(line, "\n")] = '\0';
		fd = open(line, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
			fail("load %s", line);
		close(fd);
	}
	fclose(f);
}

static void read_cmdline(void)
{
	int fd;
	ssize_t n;

	mkdir("/proc", 0555);
	if (mount("proc", "/proc", "proc", 0, NULL) && errno != EBUSY)
		fail("mount /proc");
	fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail("open /proc/cmdline");
	n = read(fd, cmdline, sizeof(cmdline) - 1);
	if (n < 0)
		fail("read /proc/cmdline");
	close(fd);
}

/* Lower layer of the overlay: the host's root, by 9p or (User Mode Linux) as it stands. */
static void make_root(void)
{
	const char *lower = "/";
	char opts[256];

	if (!uml) {
		lower = "/lower";
		do_mount("root", lower, "9p", MS_RDONLY, "trans=virtio,version=9p2000.L,cache=loose,msize=512000");
	}
	do_mount("lab", WORK, "tmpfs", 0, "mode=0755");
	make_path(WORK "/upper");
	make_path(WORK "/work");
	snprintf(opts, sizeof(opts), "lowerdir=%s,upperdir=%s,workdir=%s,index=off,xino=off", lower,
		 WORK "/upper", WORK "/work");
	do_mount("root", NEW, "overlay", 0, opts);
}

static void mount_shares(void)
{
	const char *results = option("lab.results");
	const char *ctl = option("lab.ctl");
	const char *modules = option("lab.modules");
	char at[PATH_MAX + 8], opts[PATH_MAX + 8];

	do_mount("run", NEW "/run", "tmpfs", 0, "mode=0755");
	if (uml) {
		if (!ctl)
			fail("lab.ctl= is missing");
		do_mount("none", NEW "/run/l3vpn", "hostfs", 0, ctl);
	} else {
		do_mount("ctl", NEW "/run/l3vpn", "9p", 0, "trans=virtio,version=9p2000.L,cache=none,msize=131072");
	}
	if (results) {
		snprintf(at, sizeof(at), NEW "%s", results);
		if (uml) {
			snprintf(opts, sizeof(opts), "%s", results);
			do_mount("none", at, "hostfs", 0, opts);
		} else {
			do_mount("results", at, "9p", 0, "trans=virtio,version=9p2000.L,cache=none,msize=131072");
		}
	}
	if (modules) {
		snprintf(at, sizeof(at), NEW "%s", modules);
		do_mount(at, NEW "/lib/modules", NULL, MS_BIND, NULL);
	}
}

static void mount_system(void)
{
	do_mount("proc", NEW "/proc", "proc", 0, NULL);
	do_mount("sys", NEW "/sys", "sysfs", 0, NULL);
	do_mount("dev", NEW "/dev", "devtmpfs", 0, NULL);
	do_mount("devpts", NEW "/dev/pts", "devpts", 0, "gid=5,mode=0620,ptmxmode=0666");
	do_mount("shm", NEW "/dev/shm", "tmpfs", 0, "mode=1777");
	try_mount("debug", NEW "/sys/kernel/debug", "debugfs", NULL);
	try_mount("trace", NEW "/sys/kernel/tracing", "tracefs", NULL);
	try_mount("cgroup", NEW "/sys/fs/cgroup", "cgroup2", NULL);
	try_mount("bpf", NEW "/sys/fs/bpf", "bpf", NULL);
	if (symlink("/proc/self/fd", NEW "/dev/fd") && errno != EEXIST)
		fail("link /dev/fd");
	if ((symlink("/proc/self/fd/0", NEW "/dev/stdin") || symlink("/proc/self/fd/1", NEW "/dev/stdout") ||
	     symlink("/proc/self/fd/2", NEW "/dev/stderr")) && errno != EEXIST)
		fail("link /dev/stdin");
}

int main(int argc, char **argv)
{
	const char *top;
	char guest[PATH_MAX + 32];

	read_cmdline();
	uml = !!strstr(cmdline, "hostfs");
	if (argc > 1 && !strcmp(argv[1], "off"))
		leave();
	if (strstr(cmdline, "lab.probe"))
		leave();
	load_drivers();
	top = option("lab.top");
	if (!top)
		fail("lab.top= is missing");
	make_root();
	mount_system();
	mount_shares();
	if (chdir(NEW) || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		fail("change the root");
	snprintf(guest, sizeof(guest), "%s/scripts/lib/guest", top);
	execl("/bin/sh", "sh", guest, (char *)NULL);
	fail("exec %s", guest);
}
