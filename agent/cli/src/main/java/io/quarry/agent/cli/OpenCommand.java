package io.quarry.agent.cli;

import picocli.CommandLine.Command;

/** The group of commands about opens. */
@Command(
    name = "open",
    description = {
      "Commands about opens: who uses images, on which host.",
      "An image is opened with quarry image open."
    },
    footer = {"", "Example:", "  quarry open list --host host-1"},
    subcommands = {OpenList.class, OpenShow.class, OpenClose.class})
final class OpenCommand extends Group {}
