/* A serial port without hardware: makes a pseudo-terminal (POSIX.1-2017, posix_openpt), prints the path of its slave on the
 * first line, and relays stdin to whoever reads the slave, and what that one writes to stdout, until stdin ends. Like a wire, it
 * drops what nobody takes. */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static int fail(const char *what) {
  perror(what);
  return 1;
}

/* No echo, no line discipline: bytes come out as they went in. */
static int make_raw(int slave) {
  struct termios settings;
  if (tcgetattr(slave, &settings) != 0) return -1;
  settings.c_iflag = 0;
  settings.c_oflag = 0;
  settings.c_lflag = 0;
  settings.c_cflag = CS8 | CREAD | CLOCAL;
  settings.c_cc[VMIN] = 1;
  settings.c_cc[VTIME] = 0;
  return tcsetattr(slave, TCSANOW, &settings);
}

int main(void) {
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) return fail("posix_openpt");
  const char *path = ptsname(master);
  if (path == NULL) return fail("ptsname");
  /* Held open so that a reader may come and go without a hang-up. */
  int slave = open(path, O_RDWR | O_NOCTTY);
  if (slave < 0 || make_raw(slave) != 0) return fail(path);
  if (fcntl(master, F_SETFL, O_NONBLOCK) != 0) return fail("fcntl");
  if (printf("%s\n", path) < 0 || fflush(stdout) != 0) return fail("stdout");

  struct pollfd watched[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = master, .events = POLLIN}};
  char bytes[4096];
  for (;;) {
    if (poll(watched, 2, -1) < 0) {
      if (errno == EINTR) continue;
      return fail("poll");
    }
    if (watched[1].revents & POLLIN) {
      ssize_t length = read(master, bytes, sizeof bytes);
      if (length > 0 && write(STDOUT_FILENO, bytes, (size_t)length) < 0) return fail("stdout");
    }
    if (watched[0].revents & (POLLIN | POLLHUP)) {
      ssize_t length = read(STDIN_FILENO, bytes, sizeof bytes);
      if (length <= 0) return length < 0 ? fail("stdin") : 0;
      if (write(master, bytes, (size_t)length) < 0 && errno != EAGAIN) return fail("write");
    }
  }
}
