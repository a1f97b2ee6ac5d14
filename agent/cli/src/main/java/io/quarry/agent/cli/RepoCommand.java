package io.quarry.agent.cli;

import picocli.CommandLine.Command;

/** The group of commands about repositories. */
@Command(
    name = "repo",
    description = "Commands about repositories.",
    footer = {"", "Example:", "  quarry repo list"},
    subcommands = {
      RepoCreate.class,
      RepoConnect.class,
      RepoAdopt.class,
      RepoList.class,
      RepoShow.class,
      RepoUpgrade.class,
      RepoDisconnect.class
    })
final class RepoCommand extends Group {}
