// The first process of a test guest: makes a complete Linux of the shared root, runs one command,
// powers off.
//
// It is the whole initramfs together with /modules/NN-name.ko. The host's root arrives read-only as
// the virtiofs share "root" and lies under a tmpfs overlay, so the guest may write anywhere and the
// host sees nothing of it. The share "exchange" is the one place both write: the guest runs its
// file `command`, with `output` as its standard output and error, and leaves `dmesg` and last of
// all `status` there. A guest that died left no status.
//
// Kernel argument: vm.cgroup=v2|v1|hybrid.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXCHANGE "/run/vm"

// Without a root or an exchange there is nobody to report to but the console; panic=-1 ends the
// guest.
static void Die(const char* operation, const char* object) {
  fprintf(stderr, "init: %s %s: %s\n", operation, object, strerror(errno));
  exit(1);
}

static void Mount(const char* source, const char* target, const char* type, unsigned long flags,
                  const char* options) {
  mkdir(target, 0755);
  if (mount(source, target, type, flags, options)) Die(type, target);
}

// For what a kernel may lack: said, not fatal.
static int TryMount(const char* source, const char* target, const char* type, const char* options) {
  mkdir(target, 0755);
  if (!mount(source, target, type, 0, options)) return 0;
  fprintf(stderr, "init: %s on %s: %s\n", type, target, strerror(errno));
  return -1;
}

static void LoadModules(void) {
  struct dirent** entries;
  int count =
      scandir("/modules", &entries, NULL, alphasort);  // NN- is the order of their dependencies
  for (int i = 0; i < count; i++) {
    char path[300];
    snprintf(path, sizeof(path), "/modules/%s", entries[i]->d_name);
    if (!strstr(path, ".ko")) continue;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || syscall(SYS_finit_module, fd, "", 0)) Die("load", path);
    close(fd);
  }
}

static void EnterSharedRoot(void) {
  Mount("root", "/lower", "virtiofs", MS_RDONLY, "");
  Mount("tmpfs", "/writes", "tmpfs", 0, "size=75%");
  mkdir("/writes/upper", 0755);
  mkdir("/writes/work", 0755);
  Mount("root", "/newroot", "overlay", 0,
        "lowerdir=/lower,upperdir=/writes/upper,workdir=/writes/work");
  // Moved to "/" and not just chrooted into: runc's pivot_root is refused where the root is the
  // initramfs.
  if (chdir("/newroot") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
    Die("switch to", "/newroot");
}

static void MountKernelFileSystems(void) {
  Mount("proc", "/proc", "proc", 0, "");
  Mount("sysfs", "/sys", "sysfs", 0, "");
  Mount("devtmpfs", "/dev", "devtmpfs", 0, "");
  Mount("devpts", "/dev/pts", "devpts", 0, "ptmxmode=666");
  Mount("tmpfs", "/dev/shm", "tmpfs", 0, "");
  Mount("tmpfs", "/run", "tmpfs", 0, "mode=755");
  Mount("bpf", "/sys/fs/bpf", "bpf", 0, "mode=700");
  TryMount("tracefs", "/sys/kernel/tracing", "tracefs", "");
  TryMount("debugfs", "/sys/kernel/debug", "debugfs", "");
  TryMount("securityfs", "/sys/kernel/security", "securityfs", "");
}

// Every controller the kernel still offers on v1, each in its own hierarchy: crun refuses hybrid
// when one of /proc/cgroups is left out.
static void MountCgroupV1(void) {
  Mount("cgroup", "/sys/fs/cgroup", "tmpfs", 0, "mode=755");
  FILE* controllers = fopen("/proc/cgroups", "re");
  if (!controllers) Die("open", "/proc/cgroups");
  char line[128];
  while (fgets(line, sizeof(line), controllers)) {
    char name[64], path[128];
    int enabled;
    if (sscanf(line, "%63s %*d %*d %d", name, &enabled) != 2 || name[0] == '#' || !enabled)
      continue;
    snprintf(path, sizeof(path), "/sys/fs/cgroup/%s", name);
    if (TryMount("cgroup", path, "cgroup", name)) rmdir(path);
  }
  fclose(controllers);
  Mount("cgroup", "/sys/fs/cgroup/systemd", "cgroup", 0, "none,name=systemd");
}

static void MountCgroups(void) {
  char arguments[4096] = "";
  FILE* cmdline = fopen("/proc/cmdline", "re");
  if (!cmdline || !fgets(arguments, sizeof(arguments), cmdline)) Die("read", "/proc/cmdline");
  fclose(cmdline);
  if (strstr(arguments, "vm.cgroup=v1")) {
    MountCgroupV1();
  } else if (strstr(arguments, "vm.cgroup=hybrid")) {
    MountCgroupV1();
    Mount("cgroup2", "/sys/fs/cgroup/unified", "cgroup2", 0, "");
  } else {
    Mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, "");
  }
}

// Runs the command to its end and returns its status as a shell would.
static int RunCommand(void) {
  pid_t child = fork();
  if (child == 0) {
    int input = open("/dev/null", O_RDONLY);
    int output = open(EXCHANGE "/output", O_WRONLY | O_CREAT | O_APPEND, 0644);
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    setsid();
    char* environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                           "HOME=/root", "LC_ALL=C.UTF-8", NULL};
    execle("/bin/bash", "bash", EXCHANGE "/command", NULL, environment);
    perror("init: exec /bin/bash");
    _exit(127);
  }
  int status = 0;
  while (waitpid(-1, &status, 0) != child) {  // as pid 1 it also reaps every orphan
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void WriteFile(const char* path, const char* text, size_t size) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0 || write(fd, text, size) != (ssize_t)size || fsync(fd)) Die("write", path);
  close(fd);
}

static void SaveKernelLog(void) {
  enum { kReadAll = 3, kSize = 10 };
  int size = klogctl(kSize, NULL, 0);
  char* log = malloc(size);
  size = klogctl(kReadAll, log, size);
  WriteFile(EXCHANGE "/dmesg", log, size < 0 ? 0 : size);
  free(log);
}

int main(void) {
  mkdir("/dev", 0755);
  mount("devtmpfs", "/dev", "devtmpfs", 0, "");
  int console = open("/dev/console", O_RDWR);
  for (int fd = 0; fd < 3; fd++) dup2(console, fd);
  if (console > 2) close(console);

  LoadModules();
  EnterSharedRoot();
  MountKernelFileSystems();
  MountCgroups();
  sethostname("guest", 5);
  Mount("exchange", EXCHANGE, "virtiofs", 0, "");

  char status[16];
  int size = snprintf(status, sizeof(status), "%d\n", RunCommand());
  SaveKernelLog();
  WriteFile(EXCHANGE "/status", status, size);
  sync();
  reboot(RB_POWER_OFF);
  return 1;
}
