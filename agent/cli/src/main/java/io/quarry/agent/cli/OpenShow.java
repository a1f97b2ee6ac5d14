package io.quarry.agent.cli;

import io.quarry.common.api.OpenInfo;
import io.quarry.common.api.StorageApi;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Shows one open. */
@Command(
    name = "show",
    description = "Shows who has an image open, and until when an upload waits for its caller.",
    footer = {"", "Example:", "  quarry open show main OPEN"})
final class OpenShow extends ApiCommand {
  @Mixin private OpenArguments about = new OpenArguments();

  @Override
  int run(StorageApi api, Output output) {
    OpenInfo open = api.getOpen(about.repo(), about.open(), 0);
    output.print(open, () -> facts(open));
    return Exit.DONE;
  }

  private static Facts facts(OpenInfo open) {
    Facts facts =
        new Facts()
            .fact("open", open.openId())
            .fact("image", open.imageId())
            .fact("use", open.use().label())
            .fact("state", open.state().label())
            .fact("host", open.hostId())
            .fact("owner", open.owner())
            .fact("access", open.readOnly() ? "read-only" : "read-write")
            .fact("since", Units.time(open.since()))
            .fact("boot", open.bootId());
    OpenInfo.Upload upload = open.upload();
    return upload == null
        ? facts
        : facts
            .fact("active", Units.time(upload.activeAt()))
            .fact("ends", Units.time(upload.endsAt()) + ", unless the upload goes on");
  }
}
