package io.quarry.agent.cli;

import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.StorageApi;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Opens an image for a VM on the host addressed. */
@Command(
    name = "open",
    description = {
      "Opens an image on the host addressed, and tells how to reach it.",
      "Fixes that would disturb its user wait until the image is closed."
    },
    footer = {"", "Example:", "  quarry image open main IMAGE --owner vm-17"})
final class ImageOpen extends ApiCommand {
  @Mixin private ImageArguments about = new ImageArguments();

  @Option(names = "--read-only", description = "For reading; snapshots always need it.")
  private boolean readOnly;

  @Option(names = "--owner", paramLabel = "NAME", description = "Who uses it, for people to read.")
  private @Nullable String owner;

  @Option(
      names = "--host",
      paramLabel = "HOST",
      description = "On which host it is used: agents of other hosts refuse.")
  private @Nullable String host;

  @Override
  int run(StorageApi api, Output output) {
    OpenedImage opened =
        api.openImage(about.repo(), about.image(), new OpenRequest(readOnly, owner, host), null);
    output.print(opened, () -> facts(opened));
    return Exit.DONE;
  }

  private static Facts facts(OpenedImage opened) {
    Facts facts =
        new Facts()
            .fact("open", opened.openId())
            .fact("image", opened.imageId())
            .fact("host", opened.hostId())
            .fact("access", opened.readOnly() ? "read-only" : "read-write")
            .fact("path", opened.path())
            .fact("format", opened.format().label())
            .fact("size", Units.bytes(opened.size()));
    int depth = 1;
    for (OpenedImage.ChainLink link : opened.backingChain()) {
      facts.fact("backing " + depth++, link.path() + " (" + link.format().label() + ")");
    }
    return facts
        .fact("blockdev", opened.blockdev())
        .fact("libvirt", opened.libvirtDisk().replaceAll("\\s*\\R\\s*", " "));
  }
}
