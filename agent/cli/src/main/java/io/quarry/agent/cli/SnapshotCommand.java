package io.quarry.agent.cli;

import picocli.CommandLine.Command;

/** The group of commands about snapshots. */
@Command(
    name = "snapshot",
    description = "Commands about snapshots.",
    footer = {"", "Example:", "  quarry snapshot create main DISK"},
    subcommands = {SnapshotCreate.class})
final class SnapshotCommand extends Group {}
