package io.quarry.agent.cli;

import picocli.CommandLine.Command;

/** The group of commands about images. */
@Command(
    name = "image",
    description = "Commands about images.",
    footer = {"", "Example:", "  quarry image list main"},
    subcommands = {
      CopyCommand.class,
      ImageList.class,
      ImageShow.class,
      ImageTree.class,
      ImageStatusCommand.class,
      ImageExplain.class,
      ImageRemove.class,
      ImageRestore.class,
      ImageResize.class,
      ImageUserData.class,
      ImageOpen.class,
      ImageClose.class,
      UploadCommand.class,
      DownloadCommand.class
    })
final class ImageCommand extends Group {}
