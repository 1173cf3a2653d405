// SPDX-License-Identifier: GPL-2.0
/* output - see output.h. */
#include "l3vpnsh/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct {
	bool is_tty;
	bool editing;			/* output processing is off: lines end in \r\n */
	struct termios saved;
	bool page_set;
	unsigned int page;		/* lines of a page as the operator set it */
	unsigned int printed;		/* lines since the page began */
} tty;

/* ---- the terminal ---- */

static void tty_restore(void)
{
	tcsetattr(STDIN_FILENO, TCSADRAIN, &tty.saved);
}

bool tty_init(void)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &tty.saved))
		return false;
	tty.is_tty = true;
	atexit(tty_restore);
	return true;
}

/*
 * Return and newline both end a line for libcli, which knows \r alone: pasted text has \n. The mapping must not
 * change while a command runs, or what is typed ahead would be mapped otherwise.
 */
static struct termios raw(void)
{
	struct termios t = tty.saved;

	t.c_iflag &= ~(ICRNL | IGNCR | IXON | ISTRIP | BRKINT);
	t.c_iflag |= INLCR;
	t.c_lflag &= ~(ICANON | ECHO | IEXTEN | ISIG);
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	return t;
}

void tty_edit(void)
{
	struct termios t = raw();

	if (!tty.is_tty)
		return;
	out_flush();
	t.c_oflag &= ~OPOST;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &t);
	tty.editing = true;
}

void tty_command(void)
{
	struct termios t = raw();

	if (!tty.is_tty)
		return;
	t.c_lflag |= ISIG | NOFLSH;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &t);
	tty.editing = false;
}

void tty_program(void)
{
	out_flush();
	if (tty.is_tty)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &tty.saved);
	tty.editing = false;
}

static int read_key(void)
{
	unsigned char c;

	return read(STDIN_FILENO, &c, 1) == 1 ? c : -1;
}

bool tty_confirm(const char *question)
{
	int c;

	if (!tty.is_tty)
		return false;
	fprintf(stdout, "%s [y/n] ", question);
	fflush(stdout);
	while ((c = read_key()) > 0 && !strchr("yYnN\x03\x04", c))
		;
	fprintf(stdout, "%s\n", c == 'y' || c == 'Y' ? "yes" : "no");
	return c == 'y' || c == 'Y';
}

/* ---- the pager ---- */

void out_set_page(unsigned int lines)
{
	tty.page_set = true;
	tty.page = lines;
}

static void window(unsigned int *rows, unsigned int *cols)
{
	struct winsize size = {};

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	*rows = tty.page_set ? tty.page : size.ws_row;
	*cols = size.ws_col ?: 80;
}

/* With output processing off, a new line does not return to the margin. */
static void put_line(const char *text)
{
	fputs(text, stdout);
	fputs(tty.editing ? "\r\n" : "\n", stdout);
	if (tty.editing)
		fflush(stdout);
}

/* Waits at the end of a page. */
static void more(struct shell *sh, unsigned int rows)
{
	int c;

	fputs("--More--", stdout);
	fflush(stdout);
	c = read_key();
	fputs("\r        \r", stdout);
	if (c == 'q' || c == 'Q' || c < 0 || sh->stop)
		sh->stop = 1;
	else
		tty.printed = c == '\r' || c == '\n' ? rows - 2 : 0;
}

static void paged(struct shell *sh, const char *text)
{
	unsigned int rows, cols;

	if (tty.is_tty && sh->interactive) {
		window(&rows, &cols);
		if (rows > 2 && tty.printed >= rows - 1)
			more(sh, rows);
		if (sh->stop)
			return;
		tty.printed += 1 + (*text ? (strlen(text) - 1) / cols : 0);
	}
	put_line(text);
}

void out_begin(struct shell *sh)
{
	tty.printed = 0;
	sh->stop = 0;
}

void out_end(struct shell *sh)
{
	out_flush();
}

/* ---- lines ---- */

void out_flush(void)
{
	fflush(stdout);
}

void out_line(struct shell *sh, const char *fmt, ...)
{
	char *text;
	va_list ap;

	if (sh->stop)
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (text)
		cli_print(sh->cli, "%s", text);
	free(text);
}

bool out_error(struct shell *sh, const char *fmt, ...)
{
	va_list ap;

	out_flush();
	sh->failed = true;
	if (sh->script)
		fprintf(stderr, "%s:%u: ", sh->script, sh->line);
	else
		fputs("% ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs(tty.editing ? "\r\n" : "\n", stderr);
	return false;
}

void out_note(struct shell *sh, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (!sh->interactive)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_line(text);
}

/*
 * libcli prints output, help and its own errors through the same callback. Output comes while a command runs (or,
 * from filters, right after it); an error of libcli's own parser comes while a pipeline is checked.
 */
void out_libcli(struct cli_def *cli, const char *text)
{
	struct shell *sh = &shell;

	if (sh->running) {
		paged(sh, text);
	} else if (cli->pipeline) {
		const char *stage;
		size_t len;

		stage = stage_get(cli->pipeline->cmdline, 0, &len);
		shell_diagnose(sh, stage, len);
	} else {
		put_line(text);
		out_flush();
	}
}
