/* main.c: the program isms-reviews. */
#include "service.h"

int main(int argc, char **argv)
{
    return app_main(argc, argv, &reviews_service);
}
