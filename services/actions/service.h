/* service.h: the actions service, as main() and the tests take it. */
#ifndef ISMS_ACTIONS_SERVICE_H
#define ISMS_ACTIONS_SERVICE_H

#include <isms/app/app.h>

extern const struct app_service actions_service;

#endif
