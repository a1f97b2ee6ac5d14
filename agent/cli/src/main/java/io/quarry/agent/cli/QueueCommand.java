package io.quarry.agent.cli;

import picocli.CommandLine.Command;

/** The group of commands about outstanding fixes. */
@Command(
    name = "queue",
    description = "Commands about outstanding fixes.",
    footer = {"", "Example:", "  quarry queue list main"},
    subcommands = {QueueList.class, QueuePause.class, QueueResume.class})
final class QueueCommand extends Group {}
