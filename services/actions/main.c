/* main.c: the program isms-actions. */
#include "service.h"

int main(int argc, char **argv)
{
    return app_main(argc, argv, &actions_service);
}
