/* process.h: what this process has of the system. */
#ifndef ISMS_APP_PROCESS_H
#define ISMS_APP_PROCESS_H

/* Takes as many file descriptors as the system allows it: one is a connection. Before there are threads. */
void process_descriptors_raise(void);

/* Gives back memory that is free and that the allocator keeps. Any thread, now and then. */
void process_memory_return(void);

#endif
