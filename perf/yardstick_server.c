/* The yardstick: the cheapest chat-completions service there can be, so that what a call costs is what its client costs.
 *
 * One thread, one epoll, HTTP/1.1 with keep-alive, on 127.0.0.1 only. Every POST gets the same completion, LATENCY_MS after it
 * came; every GET a list of one model. Requests may be of known length or chunked; nothing in them is read.
 *
 *     gcc -O2 -o yardstick yardstick_server.c
 *     ./yardstick PORT:LATENCY_MS [PORT:LATENCY_MS ...]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#define MAXFD 65536
#define MAXL 8
typedef struct { char *buf; size_t len, cap; int lat; uint32_t gen; int open; } Conn;
typedef struct { int64_t due; int fd; uint32_t gen; } Tm;
typedef struct { Tm *q; size_t head, tail, cap; int ms; int lfd; } Lis;   /* FIFO per fixed latency */
static Conn C[MAXFD]; static Lis L[MAXL]; static int nl; static int ep;
static char RESP[4096], MODELS[1024]; static size_t RLEN, MLEN;
static uint64_t served; static int keep = 1;
static int64_t now_us(void){ struct timespec t; clock_gettime(CLOCK_MONOTONIC,&t); return t.tv_sec*1000000LL+t.tv_nsec/1000; }
static void closec(int fd){ if(!C[fd].open) return; C[fd].open=0; C[fd].gen++; C[fd].len=0; close(fd); }
static void reply(int fd,const char*b,size_t n){ size_t o=0; while(o<n){ ssize_t w=write(fd,b+o,n-o); if(w<0){ if(errno==EAGAIN){usleep(50);continue;} closec(fd);return;} o+=w; } served++; }
static void qpush(Lis*l,int fd){ if(l->tail-l->head>=l->cap){ fprintf(stderr,"queue full\n"); closec(fd); return;} Tm*t=&l->q[l->tail++%l->cap]; t->due=now_us()+l->ms*1000LL; t->fd=fd; t->gen=C[fd].gen; }
static void process(int fd){ Conn*c=&C[fd];
  for(;;){ if(!c->open||!c->len) return; char*e=memmem(c->buf,c->len,"\r\n\r\n",4); if(!e) return; size_t hl=e-c->buf+4; size_t bl=0; int chunked=0;
    char*p=c->buf; while(p<e){ char*nx=memmem(p,e+2-p,"\r\n",2); if(!nx)break; if(!strncasecmp(p,"content-length:",15)) bl=strtoul(p+15,0,10); else if(!strncasecmp(p,"transfer-encoding: chunked",26)) chunked=1; p=nx+2; }
    size_t tot; if(chunked){ char*z=memmem(c->buf+hl-2,c->len-hl+2,"\r\n0\r\n\r\n",7); if(!z) return; tot=z+7-c->buf; } else { tot=hl+bl; if(c->len<tot) return; }
    int get=c->buf[0]=='G'; Lis*l=&L[c->lat];
    memmove(c->buf,c->buf+tot,c->len-tot); c->len-=tot;
    if(get) reply(fd,MODELS,MLEN); else if(l->ms==0) reply(fd,RESP,RLEN); else qpush(l,fd); } }
static void onread(int fd){ Conn*c=&C[fd];
  for(;;){ if(c->cap-c->len<4096){ c->cap=c->cap?c->cap*2:8192; c->buf=realloc(c->buf,c->cap);} size_t room=c->cap-c->len; ssize_t r=read(fd,c->buf+c->len,room); if(r>0){ c->len+=r; if((size_t)r<room) break; continue;} if(r==0){ closec(fd); return;} if(errno==EAGAIN) break; closec(fd); return; } process(fd); }
static void stop(int s){ (void)s; keep=0; }
int main(int ac,char**av){ signal(SIGPIPE,SIG_IGN); signal(SIGTERM,stop); signal(SIGINT,stop);
  const char*body="{\"id\":\"chatcmpl-mock000000000000000000000001\",\"object\":\"chat.completion\",\"created\":1760000000,\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"{\\\"message\\\": \\\"I would like to propose that we split the surplus: you take 45 and I keep 55, because my outside option is better this round. Let me know whether that works for you, otherwise I will counter with a smaller share.\\\", \\\"action\\\": {\\\"type\\\": \\\"offer\\\", \\\"value\\\": 45}}\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":212,\"completion_tokens\":64,\"total_tokens\":276},\"system_fingerprint\":\"fp_mock\"}";
  const char*mb="{\"object\":\"list\",\"data\":[{\"id\":\"gpt-4o-mini\",\"object\":\"model\",\"created\":1,\"owned_by\":\"mock\"}]}";
  RLEN=snprintf(RESP,sizeof RESP,"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",strlen(body),body);
  MLEN=snprintf(MODELS,sizeof MODELS,"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",strlen(mb),mb);
  ep=epoll_create1(0);
  for(int i=1;i<ac&&nl<MAXL;i++){ int port=atoi(av[i]); char*cl=strchr(av[i],':'); Lis*l=&L[nl]; l->ms=cl?atoi(cl+1):0; l->cap=1<<17; l->q=malloc(l->cap*sizeof(Tm)); l->lfd=socket(AF_INET,SOCK_STREAM|SOCK_NONBLOCK,0); int one=1; setsockopt(l->lfd,SOL_SOCKET,SO_REUSEADDR,&one,sizeof one); struct sockaddr_in a={.sin_family=AF_INET,.sin_port=htons(port)}; a.sin_addr.s_addr=htonl(INADDR_LOOPBACK); if(bind(l->lfd,(void*)&a,sizeof a)||listen(l->lfd,4096)){perror("bind");return 1;} struct epoll_event ev={.events=EPOLLIN,.data.u64=(1ULL<<32)|nl}; epoll_ctl(ep,EPOLL_CTL_ADD,l->lfd,&ev); fprintf(stderr,"127.0.0.1:%d latency %d ms\n",port,l->ms); nl++; }
  struct epoll_event ev[512];
  while(keep){ int to=1000; int64_t t=now_us(); for(int i=0;i<nl;i++){ Lis*l=&L[i]; while(l->head<l->tail){ Tm*x=&l->q[l->head%l->cap]; if(x->due>t) break; l->head++; if(C[x->fd].open&&C[x->fd].gen==x->gen) reply(x->fd,RESP,RLEN);} if(l->head<l->tail){ int64_t d=(l->q[l->head%l->cap].due-t+999)/1000; if(d<to) to=d<1?1:d; } }
    int n=epoll_wait(ep,ev,512,to);
    for(int k=0;k<n;k++){ uint64_t u=ev[k].data.u64; if(u>>32){ int li=u&0xff; for(;;){ int fd=accept4(L[li].lfd,0,0,SOCK_NONBLOCK); if(fd<0) break; if(fd>=MAXFD){close(fd);continue;} int one=1; setsockopt(fd,IPPROTO_TCP,TCP_NODELAY,&one,sizeof one); C[fd].open=1; C[fd].lat=li; C[fd].len=0; C[fd].gen++; struct epoll_event e={.events=EPOLLIN,.data.u64=fd}; epoll_ctl(ep,EPOLL_CTL_ADD,fd,&e);} } else onread((int)u); } }
  fprintf(stderr,"served %lu\n",served); return 0; }
