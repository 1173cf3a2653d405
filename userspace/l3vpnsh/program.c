// SPDX-License-Identifier: GPL-2.0
/*
 * program - ping, traceroute and any program, in a VRF or not.
 *
 * ping and traceroute bind to the VRF's device by themselves (SO_BINDTODEVICE); any other program runs in a cgroup that
 * binds its sockets (vrfexec.h). Its output goes to the terminal directly, or line by line through the pipes where
 * there are some.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "l3vpnsh/output.h"
#include "l3vpnsh/shell.h"
#include "l3vpnsh/vrfexec.h"
#include "lib/mem.h"

struct program {
	char **argv;
	size_t n;
	const char *device;	/* sockets are bound to it; NULL: not */
};

static void add(struct program *p, const char *arg)
{
	p->argv = xrealloc(p->argv, (p->n + 2) * sizeof(*p->argv));
	p->argv[p->n++] = xstrdup(arg);
	p->argv[p->n] = NULL;
}

static void program_free(struct program *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->argv[i]);
	free(p->argv);
}

/* In the child: never returns. out: for its output, -1: the shell's own. */
static void run_child(const struct program *p, int out)
{
	char reason[512];

	signal(SIGINT, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	if (out >= 0) {
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
		close(out);
	}
	if (p->device && !vrfexec_enter(p->device, reason, sizeof(reason))) {
		dprintf(STDERR_FILENO, "%% %s\n", reason);
		_exit(126);
	}
	execvp(p->argv[0], p->argv);
	dprintf(STDERR_FILENO, "%% %s: %s\n", p->argv[0], strerror(errno));
	_exit(127);
}

static void pass_lines(struct shell *sh, int fd)
{
	FILE *f = fdopen(fd, "r");
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	if (!f) {
		close(fd);
		return;
	}
	while ((len = getline(&line, &size, f)) > 0 && !sh->stop) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		out_line(sh, "%s", line);
	}
	free(line);
	fclose(f);
}

static bool report(struct shell *sh, const struct program *p, int status)
{
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return true;
	sh->failed = true;
	if (WIFEXITED(status) && WEXITSTATUS(status) >= 126)
		return false;	/* the child said why */
	if (WIFEXITED(status))
		return out_error(sh, "%s ended with status %d", p->argv[0], WEXITSTATUS(status));
	return out_error(sh, "%s was ended by signal %d", p->argv[0], WTERMSIG(status));
}

static bool run(struct shell *sh, const struct program *p)
{
	bool piped = sh->cli->filters;
	int fd[2] = { -1, -1 }, status = 0;
	pid_t pid;

	if (piped && pipe2(fd, O_CLOEXEC))
		return out_error(sh, "no pipe: %s", strerror(errno));
	out_flush();
	if (!piped)
		tty_program();
	pid = fork();
	if (!pid)
		run_child(p, fd[1]);
	if (piped)
		close(fd[1]);
	if (pid > 0 && piped)
		pass_lines(sh, fd[0]);
	else if (piped)
		close(fd[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	tty_command();
	if (p->device)
		vrfexec_clean();
	return pid < 0 ? out_error(sh, "cannot start a process: %s", strerror(errno)) : report(sh, p, status);
}

/* An input leaf's value as text: as typed, or the schema's default. NULL: neither. */
static const char *input(const struct exec_line *line, const char *name, char buf[32])
{
	const json_t *value = json_object_get(line->params, name);
	const struct lysc_node *leaf = NULL;

	if (json_is_integer(value)) {
		snprintf(buf, 32, "%lld", (long long)json_integer_value(value));
		return buf;
	}
	if (value)
		return json_string_value(value);
	while ((leaf = lys_getnext(leaf, line->command->rpc, NULL, 0))) {
		const struct lyd_value *dflt = ((const struct lysc_node_leaf *)leaf)->dflt;

		if (!strcmp(leaf->name, name) && dflt)
			return lyd_value_get_canonical(leaf->module->ctx, dflt);
	}
	return NULL;
}

static void add_option(struct program *p, const struct exec_line *line, const char *option, const char *leaf)
{
	char buf[32];
	const char *value = input(line, leaf, buf);

	if (!value)
		return;
	add(p, option);
	add(p, value);
}

static bool run_and_free(struct shell *sh, struct program *p)
{
	bool ok = run(sh, p);

	program_free(p);
	return ok;
}

bool program_ping(struct shell *sh, const struct exec_line *line)
{
	struct program p = {};
	char buf[32];
	const char *source = input(line, "source", buf);

	add(&p, "ping");
	add_option(&p, line, "-I", "vrf");
	add_option(&p, line, "-c", "count");
	add_option(&p, line, "-s", "size");
	add_option(&p, line, "-W", "timeout");
	if (source) {
		/* after the device, so that it is the source within it */
		add(&p, "-I");
		add(&p, source);
	}
	if (json_object_get(line->params, "do-not-fragment")) {
		add(&p, "-M");
		add(&p, "do");
	}
	add(&p, "--");
	add(&p, input(line, "address", buf));
	return run_and_free(sh, &p);
}

bool program_traceroute(struct shell *sh, const struct exec_line *line)
{
	struct program p = {};
	char buf[32];

	add(&p, "traceroute");
	add(&p, "-n");
	add_option(&p, line, "-i", "vrf");
	add_option(&p, line, "-s", "source");
	add_option(&p, line, "-m", "maximum-hops");
	add_option(&p, line, "-w", "timeout");
	add(&p, "--");
	add(&p, input(line, "address", buf));
	return run_and_free(sh, &p);
}

bool program_exec(struct shell *sh, const struct exec_line *line)
{
	json_t *words = json_object_get(line->params, "command");
	struct program p = { .device = json_string_value(json_object_get(line->params, "vrf")) };

	for (size_t i = 0; i < json_array_size(words); i++)
		add(&p, json_string_value(json_array_get(words, i)));
	return run_and_free(sh, &p);
}
