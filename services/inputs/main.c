/* main.c: the program isms-inputs. */
#include "service.h"

int main(int argc, char **argv)
{
    return app_main(argc, argv, &inputs_service);
}
