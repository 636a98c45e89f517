/* Put in front of the C library by LD_PRELOAD: a disk on which each sync takes as many milliseconds longer as the file says that
 * GRIDSEAL_DISK_FILE names. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void wait_for_disk(void) {
  long long delay_ms = 0;
  const char *path = getenv("GRIDSEAL_DISK_FILE");
  FILE *file = path ? fopen(path, "r") : NULL;
  if (file) {
    if (fscanf(file, "%lld", &delay_ms) != 1) delay_ms = 0;
    fclose(file);
  }
  struct timespec delay = {delay_ms / 1000, delay_ms % 1000 * 1000000};
  if (delay_ms > 0) nanosleep(&delay, NULL);
}

int fsync(int file) {
  wait_for_disk();
  return (int)syscall(SYS_fsync, file);
}

int fdatasync(int file) {
  wait_for_disk();
  return (int)syscall(SYS_fdatasync, file);
}

int msync(void *address, size_t length, int flags) {
  if (flags & MS_SYNC) wait_for_disk();
  return (int)syscall(SYS_msync, address, length, flags);
}
