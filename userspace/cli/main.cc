#include "cli/commands.h"

int main(int argc, char** argv) { return roster::cli::RunCli(argc, argv); }
