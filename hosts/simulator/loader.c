/* Runs a simulator build of the firmware without a window: a screen that shows nothing and a GLib loop. A line on stdin is a message
 * to the program; what the program prints is on stdout. The folder of the meter is the argument after the library. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define mxLinux 1
#include "screen.h"

enum { IDLE_MS = 50, LINE_BYTES_MAX = 4096, ABORTED = 70 };

static GMainLoop *gLoop;

static void onAbort(txScreen *screen, int status)
{
	(void)screen;
	fprintf(stderr, "aborted with status %d\n", status);
	_exit(ABORTED);
}

static void onPost(txScreen *screen, char *message, int size)
{
	(void)screen;
	(void)size;
	printf("%s\n", message);
	fflush(stdout);
}

static void ignore(txScreen *screen) { (void)screen; }
static void ignoreStart(txScreen *screen, double interval)
{
	(void)screen;
	(void)interval;
}

static gboolean onIdle(gpointer context)
{
	txScreen *screen = context;
	if (screen->idle != NULL) (*screen->idle)(screen);
	return G_SOURCE_CONTINUE;
}

static gboolean onLine(GIOChannel *input, GIOCondition condition, gpointer context)
{
	txScreen *screen = context;
	gchar *line = NULL;
	gsize end = 0;
	(void)condition;
	GIOStatus status = g_io_channel_read_line(input, &line, NULL, &end, NULL);
	if (status == G_IO_STATUS_AGAIN) return G_SOURCE_CONTINUE;
	if (status != G_IO_STATUS_NORMAL) {
		g_main_loop_quit(gLoop);
		return G_SOURCE_REMOVE;
	}
	line[end] = 0;
	if (end < LINE_BYTES_MAX && screen->invoke != NULL) (*screen->invoke)(screen, line, 0);
	g_free(line);
	return G_SOURCE_CONTINUE;
}

static txScreen *makeScreen(void)
{
	/* The one row of pixels is never drawn to. */
	txScreen *screen = calloc(1, sizeof(txScreen) + screenBytesPerPixel);
	if (screen == NULL) abort();
	screen->abort = onAbort;
	screen->post = onPost;
	screen->bufferChanged = ignore;
	screen->formatChanged = ignore;
	screen->start = ignoreStart;
	screen->stop = ignore;
	mxCreateMutex(&screen->workersMutex);
	return screen;
}

int main(int count, char **arguments)
{
	if (count != 3) {
		fprintf(stderr, "usage: %s LIBRARY FOLDER\n", arguments[0]);
		return 2;
	}
	void *library = dlopen(arguments[1], RTLD_NOW);
	txScreenLaunchProc launch = library == NULL ? NULL : (txScreenLaunchProc)dlsym(library, "fxScreenLaunch");
	if (launch == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	if (chdir(arguments[2]) != 0) {
		perror(arguments[2]);
		return 1;
	}
	txScreen *screen = makeScreen();
	gLoop = g_main_loop_new(NULL, FALSE);
	GIOChannel *input = g_io_channel_unix_new(STDIN_FILENO);
	g_io_channel_set_flags(input, G_IO_FLAG_NONBLOCK, NULL);
	g_io_add_watch(input, G_IO_IN | G_IO_HUP, onLine, screen);
	g_timeout_add(IDLE_MS, onIdle, screen);
	(*launch)(screen);
	g_main_loop_run(gLoop);
	return 0;
}
