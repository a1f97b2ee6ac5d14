package io.quarry.agent.cli;

import picocli.CommandLine.Command;

/** The group of commands about running tasks. */
@Command(
    name = "task",
    description = "Commands about running tasks.",
    footer = {"", "Example:", "  quarry task list"},
    subcommands = {TaskList.class, TaskStop.class, TaskRelease.class})
final class TaskCommand extends Group {}
