// What the tests of weir/target look at: small processes with one trait each, chosen by the first
// argument. Each prints "ready" when it is in shape, and ends when its stdin does.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <time.h>
#include <unistd.h>

static atomic_long handled_usr1, handled_rt, handled_alarm, steps;
static atomic_bool over;

static void on_usr1(int s) { (void)s; handled_usr1++; }
static void on_rt(int s) { (void)s; handled_rt++; }
static void on_alarm(int s) { (void)s; handled_alarm++; }

static void ready(void) {
  printf("ready %d\n", getpid());
  fflush(stdout);
}

static void wait_for_end(void) {
  char c;
  for (;;) {
    const ssize_t n = read(0, &c, 1);
    if (n == 0 || (n < 0 && errno != EINTR)) return;
  }
}

static void* sleeper(void* a) {
  for (;;) pause();
  return a;
}

static void* spinner(void* a) {
  while (!over) steps++;
  return a;
}

static void start(void* (*body)(void*), void* argument, pthread_t* out) {
  pthread_t mine;
  if (pthread_create(out ? out : &mine, NULL, body, argument) != 0) abort();
}

// ---- signals: two workers get signals from a sender as fast as they take them

static void* worker(void* a) {
  while (!over) usleep(50);
  return a;
}

static void* sender(void* a) {
  pthread_t* to = a;
  long usr1 = 0, rt = 0;
  while (!over) {
    // Not queued: the next one only when the last one has arrived.
    pthread_kill(to[0], SIGUSR1);
    usr1++;
    // Queued: up to 16 on their way.
    for (int i = 0; i < 4; i++) {
      if (pthread_kill(to[i % 2], SIGRTMIN) == 0) rt++;
    }
    for (int i = 0; i < 20000000 && (handled_usr1 < usr1 || rt - handled_rt > 16); i++) {
      if (i % 100 == 99) usleep(100);
    }
    if (handled_usr1 < usr1) break;
  }
  for (int i = 0; i < 20000 && (handled_usr1 < usr1 || handled_rt < rt); i++) usleep(100);
  printf("sent %ld %ld handled %ld %ld\n", usr1, rt, handled_usr1, handled_rt);
  fflush(stdout);
  return NULL;
}

static void signals(void) {
  signal(SIGUSR1, on_usr1);
  signal(SIGRTMIN, on_rt);
  signal(SIGALRM, on_alarm);
  const struct itimerval every = {{0, 1000}, {0, 1000}};
  setitimer(ITIMER_REAL, &every, NULL);
  pthread_t workers[2], spin, send;
  start(worker, NULL, &workers[0]);
  start(worker, NULL, &workers[1]);
  start(spinner, NULL, &spin);
  start(sender, workers, &send);
  ready();
  wait_for_end();
  over = 1;
  pthread_join(send, NULL);
  printf("alarms %ld steps %ld\n", handled_alarm, steps);
}

// ---- others

static void* short_life(void* a) { return a; }

static void* churner(void* a) {
  while (!over) {
    pthread_t t;
    if (pthread_create(&t, NULL, short_life, NULL) == 0) pthread_join(t, NULL);
    steps++;
  }
  return a;
}

static void* outlive_main(void* a) {
  usleep(20000);
  ready();
  wait_for_end();
  _exit(0);
  return a;
}

static void* vforker(void* a) {
  if (vfork() == 0) {
    // The parent's thread stands still until this child is gone; it ends when stdin does.
    char c;
    while (read(0, &c, 1) > 0) {
    }
    _exit(0);
  }
  return a;
}

// Two values that are equal at every instant between system calls of the thread, in registers and
// memory: a reader of a stopped process must never see them more than one step apart.
volatile unsigned long pair[2];
static void* pairer(void* a) {
  for (unsigned long i = 1; !over; i++) {
    pair[0] = i;
    pair[1] = i;
  }
  return a;
}

static void sockets(void) {
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  struct sockaddr_un un = {.sun_family = AF_UNIX};
  socklen_t size = sizeof in, size6 = sizeof in6;
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  const int datagram = socket(AF_INET6, SOCK_DGRAM, 0);
  const int local = socket(AF_UNIX, SOCK_STREAM, 0);
  snprintf(un.sun_path + 1, sizeof un.sun_path - 1, "weir test %d", getpid());
  bind(listener, (struct sockaddr*)&in, sizeof in);
  listen(listener, 1);
  getsockname(listener, (struct sockaddr*)&in, &size);
  connect(client, (struct sockaddr*)&in, sizeof in);
  struct sockaddr_in from;
  size = sizeof from;
  getsockname(client, (struct sockaddr*)&from, &size);
  const int v6 = bind(datagram, (struct sockaddr*)&in6, sizeof in6);
  getsockname(datagram, (struct sockaddr*)&in6, &size6);
  bind(local, (struct sockaddr*)&un,
       (socklen_t)(sizeof un.sun_family + 1 + strlen(un.sun_path + 1)));
  listen(local, 1);
  printf("listener %d %d\nclient %d %d\ndatagram %d %d\nlocal %d %d\n", listener,
         ntohs(in.sin_port), client, ntohs(from.sin_port), v6 == 0 ? datagram : -1,
         ntohs(in6.sin6_port), local, getpid());
}

int main(int argc, char** argv) {
  const char* mode = argc > 1 ? argv[1] : "";
  const int count = argc > 2 ? atoi(argv[2]) : 0;
  if (strcmp(mode, "signals") == 0) {
    signals();
    return 0;
  }
  if (strcmp(mode, "outlive") == 0) {
    start(outlive_main, NULL, NULL);
    pthread_exit(NULL);
  }
  if (strcmp(mode, "user") == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return 3;
  if (strcmp(mode, "user") == 0) prctl(PR_SET_DUMPABLE, 1);
  if (strcmp(mode, "nodump") == 0) {
    if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return 3;
    prctl(PR_SET_DUMPABLE, 0);
  }
  if (strcmp(mode, "sockets") == 0) sockets();
  for (int i = 0; i < count; i++) {
    if (strcmp(mode, "sleep") == 0) start(sleeper, NULL, NULL);
    if (strcmp(mode, "spin") == 0) start(spinner, NULL, NULL);
    if (strcmp(mode, "churn") == 0) start(churner, NULL, NULL);
    if (strcmp(mode, "pair") == 0) start(pairer, NULL, NULL);
  }
  if (strcmp(mode, "pair") == 0) printf("pair %p\n", (void*)pair);
  if (strcmp(mode, "name") == 0) prctl(PR_SET_NAME, "a) (b c");
  if (strcmp(mode, "vfork") == 0) {
    start(vforker, NULL, NULL);
    usleep(50000);
    ready();
    for (;;) pause();
  }
  ready();
  wait_for_end();
  over = 1;
  printf("steps %ld\n", steps);
  return 0;
}
