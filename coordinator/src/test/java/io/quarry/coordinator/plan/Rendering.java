package io.quarry.coordinator.plan;

import java.util.List;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/** Changes and states as lines for people. */
final class Rendering {
  private Rendering() {}

  static String change(Change change) {
    return switch (change) {
      case Change.PutImage put -> "+ " + image(put.image());
      case Change.DropImage drop -> "- image " + drop.id();
      case Change.PutVolume put -> "+ " + volume(put.volume());
      case Change.DropVolume drop -> "- volume " + drop.id();
      case Change.PutFix put -> "+ " + fix(put.fix());
      case Change.DropFix drop -> "- fix " + drop.id();
      case Change.PutPin put -> "+ " + pin(put.pin());
      case Change.DropPin drop -> "- pin " + drop.id();
      case Change.PutOpen put -> "+ " + open(put.open());
      case Change.DropOpen drop -> "- open " + drop.id();
      case Change.PutFeature put -> "+ feature " + put.feature().name();
      case Change.PutExtension put ->
          "+ extension " + put.extension().feature() + " of " + put.extension().subjectId();
      case Change.PutPool put -> "+ pool " + put.pool().extents();
      case Change.PutAllocation put ->
          "+ extents of " + put.allocation().file() + ": " + put.allocation().runs();
      case Change.DropAllocation drop -> "- extents of " + drop.file();
      case Change.PutMapping put ->
          "+ mapping of " + put.mapping().file() + " on " + put.mapping().hostId();
      case Change.DropMapping drop -> "- mapping of " + drop.file() + " on " + drop.hostId();
      case Change.PutEpoch put -> "+ " + epoch(put.epoch());
      case Change.DropEpochs drop -> "- epochs of " + drop.fixId() + " up to " + drop.upTo();
    };
  }

  /** The whole state, in a fixed order. */
  static List<String> state(RepositoryState state) {
    return state.asChanges().stream().map(change -> change(change).substring(2)).sorted().toList();
  }

  private static String image(Image image) {
    return line(
        "image " + image.id(),
        image.kind().label(),
        image.visible() ? "visible" : "hidden",
        image.size() + " bytes",
        "on " + image.volumeId(),
        image.contentCommit() == null ? null : "changeable since " + image.contentCommit(),
        image.retainedUntil() == null ? null : "retained until " + image.retainedUntil(),
        image.autoFix() ? null : "no autoFix",
        image.userData().isEmpty() ? null : image.userData().toString());
  }

  private static String volume(Volume volume) {
    return line(
        "volume " + volume.id(),
        volume.format().label(),
        volume.stage().name(),
        "of " + volume.imageId(),
        volume.parentImageId() == null ? null : "over " + volume.parentImageId(),
        volume.source() == null ? null : "from " + volume.source().imageId(),
        volume.baseSource() == null ? null : "reading it in " + volume.baseSource().repositoryKey(),
        volume.replaces() == null ? null : "instead of " + volume.replaces().volumeId(),
        volume.file() == null ? null : "in " + volume.file(),
        volume.writer() == null ? null : "written down into by " + writer(volume.writer()),
        volume.witness() == null ? null : "frozen with " + volume.witness().size() + " bytes");
  }

  private static String writer(Volume.Writer writer) {
    return writer.worker().hostId() + "@" + writer.worker().incarnation();
  }

  private static String fix(FixState fix) {
    return line(
        "fix " + fix.id(),
        fix.imageId() == null ? null : "of " + fix.imageId(),
        fix.file() == null ? null : "of file " + fix.file(),
        fix.wanted() ? "wanted" : "not wanted",
        fix.heavy() ? "heavy" : null,
        fix.worker() == null ? null : "claimed by " + fix.worker().hostId(),
        fix.epoch() <= 1 ? null : "epoch " + fix.epoch(),
        fix.retained() ? "not before " + fix.retryAt() : null,
        fix.failures() == 0 ? null : "failures " + fix.failures(),
        fix.parked() ? "parked" : null,
        fix.paused() ? "paused" : null,
        fix.lastError() == null ? null : "error: " + fix.lastError());
  }

  private static String epoch(Epoch epoch) {
    return line(
        "epoch " + epoch.epoch() + " of " + epoch.fixId(),
        "claimed by " + epoch.worker().hostId(),
        epoch.checkpoint() == null ? null : "at " + epoch.checkpoint());
  }

  private static String pin(Pin pin) {
    String base = pin.baseImageId() == null ? "" : " and " + pin.baseImageId();
    return line(
        "pin " + pin.id() + " keeps " + pin.imageId() + base + " for " + pin.targetImageId(),
        pin.volumes().isEmpty() ? null : "using " + String.join(" over ", pin.volumes()));
  }

  private static String open(Open open) {
    return line(
        "open " + open.id(),
        "of " + open.imageId(),
        open.readOnly() ? "to read" : "to write",
        "on " + open.hostId(),
        open.owner() == null ? null : "by " + open.owner(),
        open.fills() == null ? null : "fills " + open.fills(),
        open.received() == null
            ? null
            : "from %d bytes of %s"
                .formatted(open.received().bytes(), open.received().format().label()),
        open.volumes().isEmpty() ? null : "using " + String.join(" over ", open.volumes()),
        open.baseSource() == null
            ? null
            : "and " + open.baseSource().imageId() + " in " + open.baseSource().repositoryKey());
  }

  private static String line(@Nullable String... parts) {
    StringJoiner line = new StringJoiner(", ");
    for (String part : parts) {
      if (part != null) {
        line.add(part);
      }
    }
    return line.toString();
  }
}
