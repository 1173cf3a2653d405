// SPDX-License-Identifier: GPL-2.0
/* vrfexec - see vrfexec.h. The cgroups are CGROUP2/l3vpnsh/PID. */
#include "l3vpnsh/vrfexec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <mntent.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool fail(char *reason, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, size, fmt, ap);
	va_end(ap);
	return false;
}

/* Where cgroup v2 is mounted; a mount that something else covers does not count. */
static bool find_mount(char *path, size_t size)
{
	FILE *f = setmntent("/proc/self/mounts", "r");
	struct mntent *m;
	bool found = false;

	if (!f)
		return false;
	while (!found && (m = getmntent(f))) {
		char procs[512];

		if (strcmp(m->mnt_type, "cgroup2"))
			continue;
		snprintf(procs, sizeof(procs), "%s/cgroup.procs", m->mnt_dir);
		if (access(procs, W_OK))
			continue;
		snprintf(path, size, "%s", m->mnt_dir);
		found = true;
	}
	endmntent(f);
	return found;
}

static bool make_mount(char *path, size_t size)
{
	mkdir("/run/l3vpn", 0755);
	mkdir(VRFEXEC_MNT, 0755);
	if (mount("none", VRFEXEC_MNT, "cgroup2", 0, NULL))
		return false;
	snprintf(path, size, "%s", VRFEXEC_MNT);
	return true;
}

static int load_program(int ifindex, char *log, unsigned int log_size)
{
	struct bpf_insn insns[] = {
		/* r2 = ifindex; ((struct bpf_sock *)r1)->bound_dev_if = r2; r0 = 1 (allowed); exit */
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = ifindex },
		{ .code = BPF_STX | BPF_MEM | BPF_W, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_2,
		  .off = offsetof(struct bpf_sock, bound_dev_if) },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_SOCK,
		.expected_attach_type = BPF_CGROUP_INET_SOCK_CREATE,
		.insns = (uintptr_t)insns,
		.insn_cnt = sizeof(insns) / sizeof(insns[0]),
		.license = (uintptr_t)"GPL",
		.log_buf = (uintptr_t)log,
		.log_size = log_size,
		.log_level = 1,
	};

	return syscall(__NR_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

static int attach_program(int cgroup, int program)
{
	union bpf_attr attr = {
		.target_fd = cgroup,
		.attach_bpf_fd = program,
		.attach_type = BPF_CGROUP_INET_SOCK_CREATE,
	};

	return syscall(__NR_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr));
}

static bool write_pid(const char *dir)
{
	char path[512];
	int fd;
	bool ok;

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	/* 0: the process that writes */
	ok = write(fd, "0", 1) == 1;
	close(fd);
	return ok;
}

static bool bind_cgroup(const char *dir, int ifindex, char *reason, size_t size)
{
	char log[4096] = "";
	int program, cgroup;
	bool ok;

	program = load_program(ifindex, log, sizeof(log));
	if (program < 0)
		return fail(reason, size, "the kernel does not load the BPF program that binds sockets: %s%s",
			    strerror(errno), errno == EPERM ? " (root is needed)" :
			    " (it needs CONFIG_BPF_SYSCALL and CONFIG_CGROUP_BPF)");
	cgroup = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok = cgroup >= 0 && !attach_program(cgroup, program);
	if (!ok)
		fail(reason, size, "%s: the BPF program that binds sockets is not accepted: %s", dir, strerror(errno));
	if (cgroup >= 0)
		close(cgroup);
	close(program);
	return ok;
}

bool vrfexec_enter(const char *device, char *reason, size_t size)
{
	unsigned int ifindex = if_nametoindex(device);
	char mount_point[256], base[300], dir[340];

	if (!ifindex)
		return fail(reason, size, "there is no device %s: the VRF is not programmed (show vrf)", device);
	if (!find_mount(mount_point, sizeof(mount_point)) && !make_mount(mount_point, sizeof(mount_point)))
		return fail(reason, size, "cgroup v2 cannot be used here: %s%s", strerror(errno),
			    geteuid() ? " (root is needed)" : "");
	snprintf(base, sizeof(base), "%s/l3vpnsh", mount_point);
	snprintf(dir, sizeof(dir), "%s/%d", base, getpid());
	if ((mkdir(base, 0755) && errno != EEXIST) || (mkdir(dir, 0755) && errno != EEXIST))
		return fail(reason, size, "%s: %s", dir, strerror(errno));
	if (!bind_cgroup(dir, ifindex, reason, size)) {
		rmdir(dir);
		return false;
	}
	if (!write_pid(dir)) {
		fail(reason, size, "%s: %s", dir, strerror(errno));
		rmdir(dir);
		return false;
	}
	return true;
}

void vrfexec_clean(void)
{
	char mount_point[256], base[300];
	struct dirent *e;
	DIR *d;

	if (!find_mount(mount_point, sizeof(mount_point)))
		return;
	snprintf(base, sizeof(base), "%s/l3vpnsh", mount_point);
	d = opendir(base);
	if (!d)
		return;
	/* one that still has processes refuses to go */
	while ((e = readdir(d)))
		if (*e->d_name != '.' && e->d_type == DT_DIR)
			unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
	closedir(d);
	rmdir(base);
}
