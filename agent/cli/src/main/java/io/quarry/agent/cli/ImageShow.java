package io.quarry.agent.cli;

import io.quarry.common.api.ImageInfo;
import io.quarry.common.api.StorageApi;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Shows one image. */
@Command(
    name = "show",
    description = "Shows one image.",
    footer = {"", "Example:", "  quarry image show main IMAGE"})
final class ImageShow extends ApiCommand {
  @Mixin private ImageArguments about = new ImageArguments();

  @Override
  int run(StorageApi api, Output output) {
    ImageInfo info = api.getImage(about.repo(), about.image(), 0);
    output.print(info, () -> facts(info));
    return Exit.DONE;
  }

  private static Facts facts(ImageInfo image) {
    Facts facts =
        new Facts()
            .fact("image", image.imageId())
            .fact("kind", image.kind().label())
            .fact("state", image.state().label())
            .fact("because", image.reason())
            .fact("size", Units.bytes(image.size()))
            .fact("allocated", Units.bytes(image.actualBytes()))
            .fact("exclusive", Units.bytes(image.exclusiveBytes()))
            .fact("format", image.format().label())
            .fact("parent", image.parentImageId())
            .fact("dependants", String.join(", ", image.dependantImageIds()))
            .fact("user data", image.userData().isEmpty() ? "" : image.userData())
            .fact("created", Units.time(image.createdAt()));
    int number = 1;
    for (ImageInfo.Open open : image.opens()) {
      facts.fact(image.opens().size() == 1 ? "open" : "open " + number++, text(open));
    }
    return facts.fact("commit", image.commit());
  }

  private static String text(ImageInfo.Open open) {
    return (open.readOnly() ? "for reading" : "for writing")
        + (open.owner() == null ? "" : " by " + open.owner())
        + " on "
        + open.hostId()
        + " since "
        + Units.time(open.since())
        + " ("
        + open.openId()
        + ")";
  }
}
