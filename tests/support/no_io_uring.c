/* Starts a program under a seccomp filter that answers EPERM to the three io_uring calls, as the
 * default profile of a container runtime does: no_io_uring PROGRAM [ARGUMENTS...] */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char** argv) {
  static const char* const kCalls[] = {"io_uring_setup", "io_uring_enter", "io_uring_register"};
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  if (argc < 2 || filter == NULL) {
    fprintf(stderr, "usage: no_io_uring PROGRAM [ARGUMENTS...]\n");
    return 2;
  }
  for (unsigned i = 0; i < sizeof kCalls / sizeof kCalls[0]; ++i) {
    const int call = seccomp_syscall_resolve_name(kCalls[i]);
    if (call == __NR_SCMP_ERROR ||
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0) != 0) {
      fprintf(stderr, "no_io_uring: cannot forbid %s\n", kCalls[i]);
      return 2;
    }
  }
  if (seccomp_load(filter) != 0) {
    perror("no_io_uring: seccomp_load");
    return 2;
  }
  seccomp_release(filter);
  execvp(argv[1], argv + 1);
  perror(argv[1]);
  return 2;
}
