/* main.c: the program isms-reporting. */
#include "service.h"

int main(int argc, char **argv)
{
    return app_main(argc, argv, &reporting_service);
}
