// SPDX-License-Identifier: GPL-2.0
/*
 * daemon/options.c: command line, lock, privileges, systemd. See options.h.
 */
#include "daemon/options.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/capability.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define DEFAULT_CONFIG	"/etc/l3vpn/l3vpn.conf"
#define DEFAULT_SOCKET	"/run/l3vpn/l3vpnd.sock"
#define DEFAULT_STATE	"/var/lib/l3vpn"
#define WORKERS_MAX	64
#define AUDIT_DEFAULT	30

static void usage(FILE *to)
{
	fprintf(to,
		"usage: l3vpnd [options]\n"
		"  --config FILE        start-up configuration (" DEFAULT_CONFIG ")\n"
		"  --socket PATH        management socket (" DEFAULT_SOCKET ")\n"
		"  --state DIR          lock, labels, history of commits (" DEFAULT_STATE ")\n"
		"  --provider NAME      genl: the kernel module; none: route reflector (genl)\n"
		"  --workers N          threads that serve BGP sessions (2)\n"
		"  --audit SECONDS      between comparisons with the module, 0 never (%d)\n"
		"  --clear-on-exit      a clean stop takes forwarding away (it stays otherwise)\n"
		"  --foreground         log to standard error (else to syslog, unless systemd listens)\n"
		"  --log-level LEVEL    err, warning, notice, info, debug (notice)\n"
		"  --version, --help\n", AUDIT_DEFAULT);
}

static unsigned int number(const char *name, const char *text, unsigned int min, unsigned int max)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || !*text || *end || *text == '-' || v < min || v > max) {
		fprintf(stderr, "l3vpnd: --%s wants a number from %u to %u, not \"%s\"\n", name, min, max,
			text);
		exit(2);
	}
	return v;
}

enum { OPT_CONFIG = 256, OPT_SOCKET, OPT_STATE, OPT_PROVIDER, OPT_WORKERS, OPT_AUDIT, OPT_CLEAR,
	OPT_FOREGROUND, OPT_LEVEL, OPT_VERSION, OPT_HELP };

static const struct option table[] = {
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "socket", required_argument, NULL, OPT_SOCKET },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "provider", required_argument, NULL, OPT_PROVIDER },
	{ "workers", required_argument, NULL, OPT_WORKERS },
	{ "audit", required_argument, NULL, OPT_AUDIT },
	{ "clear-on-exit", no_argument, NULL, OPT_CLEAR },
	{ "foreground", no_argument, NULL, OPT_FOREGROUND },
	{ "log-level", required_argument, NULL, OPT_LEVEL },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static void option_set(struct options *opt, int c)
{
	switch (c) {
	case OPT_CONFIG:
		opt->config = optarg;
		break;
	case OPT_SOCKET:
		opt->socket = optarg;
		break;
	case OPT_STATE:
		opt->state = optarg;
		break;
	case OPT_PROVIDER:
		opt->provider = optarg;
		if (!strcmp(optarg, "genl") || !strcmp(optarg, "none"))
			break;
		fprintf(stderr, "l3vpnd: no provider \"%s\": genl or none\n", optarg);
		exit(2);
	case OPT_WORKERS:
		opt->workers = number("workers", optarg, 1, WORKERS_MAX);
		break;
	case OPT_AUDIT:
		opt->audit_seconds = number("audit", optarg, 0, 86400);
		break;
	case OPT_CLEAR:
		opt->clear_on_exit = true;
		break;
	case OPT_FOREGROUND:
		opt->foreground = true;
		break;
	case OPT_LEVEL:
		if (log_level_parse(optarg, &opt->level))
			break;
		fprintf(stderr, "l3vpnd: no log level \"%s\": err, warning, notice, info or debug\n",
			optarg);
		exit(2);
	case OPT_VERSION:
		printf("l3vpnd %s\n", l3vpn_version);
		exit(0);
	case OPT_HELP:
		usage(stdout);
		exit(0);
	default:
		usage(stderr);
		exit(2);
	}
}

void options_parse(struct options *opt, int argc, char **argv)
{
	int c;

	*opt = (struct options){
		.config = DEFAULT_CONFIG, .socket = DEFAULT_SOCKET, .state = DEFAULT_STATE,
		.provider = "genl", .workers = 2, .audit_seconds = AUDIT_DEFAULT,
		.level = LOG_LEVEL_NOTICE,
	};
	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1)
		option_set(opt, c);
	if (optind < argc) {
		fprintf(stderr, "l3vpnd: \"%s\" is no option\n", argv[optind]);
		usage(stderr);
		exit(2);
	}
}

static bool make_dirs(const char *path)
{
	char buf[512], *at;

	if (snprintf(buf, sizeof(buf), "%s", path) >= (int)sizeof(buf)) {
		errno = ENAMETOOLONG;
		return false;
	}
	for (at = buf + 1; (at = strchr(at, '/')); *at++ = '/') {
		*at = '\0';
		if (mkdir(buf, 0755) < 0 && errno != EEXIST)
			return false;
	}
	return mkdir(buf, 0750) == 0 || errno == EEXIST;
}

bool daemon_lock(const char *state_dir)
{
	char path[600], pid[32] = "";
	ssize_t n;
	int fd;

	if (!make_dirs(state_dir)) {
		log_err("daemon", "cannot make the state directory %s: %s", state_dir, strerror(errno));
		return false;
	}
	snprintf(path, sizeof(path), "%s/l3vpnd.lock", state_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0) {
		log_err("daemon", "cannot open %s: %s", path, strerror(errno));
		return false;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		n = read(fd, pid, sizeof(pid) - 1);
		pid[n > 0 ? n : 0] = '\0';
		pid[strcspn(pid, "\n")] = '\0';
		log_err("daemon", "another l3vpnd (process %s) runs with the state directory %s: leaving",
			pid[0] ? pid : "unknown", state_dir);
		close(fd);
		return false;
	}
	snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || write(fd, pid, strlen(pid)) < 0)
		log_warn("daemon", "cannot write %s: %s", path, strerror(errno));
	return true;		/* the lock ends with the process, which keeps fd */
}

void daemon_raise_limits(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur == files.rlim_max)
		return;
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files))
		log_warn("daemon", "no more open files than usual: %s", strerror(errno));
}

bool daemon_drop_privileges(void)
{
	static const unsigned int keep[] = { CAP_NET_ADMIN, CAP_NET_RAW, CAP_NET_BIND_SERVICE };
	const struct rlimit realtime = { 1, 1 };
	unsigned int i;

	setrlimit(RLIMIT_RTPRIO, &realtime);	/* BFD's thread; who started us may have set it, or it says so */
	if (capng_get_caps_process() < 0)
		return true;		/* a system without capabilities */
	if (capng_have_capabilities(CAPNG_SELECT_CAPS) == CAPNG_NONE)
		return true;		/* an ordinary user: there is nothing to drop */
	capng_clear(CAPNG_SELECT_CAPS);
	for (i = 0; i < sizeof(keep) / sizeof(keep[0]); i++)
		if (capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, keep[i]) < 0)
			return false;
	if (capng_apply(CAPNG_SELECT_CAPS) < 0) {
		log_err("daemon", "cannot drop privileges: %s", strerror(errno));
		return false;
	}
	return true;
}

void daemon_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	socklen_t len;
	int fd;

	if (!path || strlen(path) >= sizeof(sa.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(sa.sun_path, path, strlen(path));
	len = offsetof(struct sockaddr_un, sun_path) + strlen(path);
	if (path[0] == '@')
		sa.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&sa, len) < 0)
		log_debug("daemon", "systemd was not told: %s", strerror(errno));
	close(fd);
}
