package io.quarry.agent.check;

import io.quarry.agent.fix.InsufficientSpace;
import io.quarry.agent.fix.OrphanFiles;
import io.quarry.agent.fix.SpaceBudget;
import io.quarry.agent.fix.WriteEstimate;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.repository.FixOwners;
import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.common.api.Fix;
import io.quarry.common.model.FixType;
import io.quarry.coordinator.plan.ChainLength;
import io.quarry.coordinator.plan.Condition;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Pin;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The fixes that callers can ask for, as callers get them. */
final class OfferedFixes {
  private final ConnectedRepository repository;
  private final RepositoryStorage storage;
  private final RepositoryState state;
  private final Neighbours neighbours;
  private final FixOwners holders;
  private final MergeGain merges;
  private final SpaceBudget.Room room;

  OfferedFixes(ConnectedRepository repository, RepositoryState state, Neighbours neighbours)
      throws IOException {
    this.repository = repository;
    this.storage = repository.storage();
    this.state = state;
    this.neighbours = neighbours;
    this.holders = FixOwners.of(repository);
    this.room = neighbours.budget().look(repository);
    this.merges = new MergeGain(storage, state, neighbours);
  }

  /** The fixes that the log holds. */
  void recorded(List<Fix> found) throws IOException {
    Instant now = Instant.now();
    for (FixState fix : state.fixes().values()) {
      boolean retained = fix.retained() && fix.retryAt() != null && fix.retryAt().isAfter(now);
      if (fix.file() == null && !retained) {
        found.add(recorded(fix));
      }
    }
  }

  private Fix recorded(FixState fix) throws IOException {
    InsufficientSpace shortage = holders.mayWaitForSpace(fix) ? room.shortage(fix) : null;
    Volume volume = state.volumes().get(String.valueOf(fix.volumeId()));
    return FixData.sign(
        new Fix(
            fix.type(),
            state.beneficiaryOf(fix),
            shortage == null ? reason(fix, volume) : reason(fix, volume) + "; " + shortage.text(),
            WriteEstimate.bytes(fix, repository, state, neighbours::byKey),
            volume == null ? 0 : gain(fix, volume),
            fix.type().priority(),
            holders.stateOf(fix, shortage != null),
            fix.lastError(),
            ""),
        fix.id(),
        null,
        storage.genesis());
  }

  /** Old repositories have long chains without a fix in the log. */
  void longChains(List<Fix> found) {
    LongChains.unattended(state)
        .forEach((top, image) -> {
          Condition tooLong = new Condition.LongChain(ChainLength.of(state, image));
          found.add(
              FixData.sign(
                  new Fix(
                      FixType.OPTIMIZE,
                      image.id(),
                      tooLong.text(),
                      image.size(),
                      0,
                      FixType.OPTIMIZE.priority(),
                      "waiting",
                      null,
                      ""),
                  ChainLength.flattenId(top.id()),
                  null,
                  storage.genesis()));
        });
  }

  private long gain(FixState fix, Volume volume) throws IOException {
    return switch (fix.type()) {
      case CLEAN -> volume.file() == null ? 0 : allocated(volume.file());
      case MERGE -> merges.of(volume);
      case MEND, OPTIMIZE -> 0;
    };
  }

  private long allocated(String file) throws IOException {
    return storage.volumes().allocated(file);
  }

  private String reason(FixState fix, @Nullable Volume volume) {
    if (fix.type() == FixType.CLEAN) {
      return volume != null && volume.stage() == Volume.Stage.TOMBSTONED
          ? "its image is gone, its files are being removed"
          : "the image was removed and nothing depends on it";
    }
    Image image = state.images().get(String.valueOf(state.beneficiaryOf(fix)));
    if (fix.type() == FixType.MERGE && image != null) {
      List<Image> folded = state.mergedFrom(image);
      return folded.isEmpty()
          ? "what was removed below it is no longer kept for it alone"
          : "image "
              + folded.getFirst().id()
              + (folded.size() == 1 ? "" : " and " + (folded.size() - 1) + " more")
              + " below it, removed, kept for it alone";
    }
    String why = image == null ? null : Condition.reason(state, image);
    return why == null ? "the image can be represented better" : why;
  }

  /** Files that crashes have left behind. */
  void leftOver(StoredFiles files, List<Fix> found) throws IOException {
    for (String file : files.volumes()) {
      if (OrphanFiles.isOrphan(file, state)) {
        found.add(orphan(file, allocated(file), "file " + file + " belongs to no volume"));
      }
    }
    for (String file : files.fixes()) {
      if (OrphanFiles.isOrphan(file, state)) {
        found.add(orphan(file, 0, file + " is what a fix that is over has left"));
      }
    }
  }

  private Fix orphan(String file, long bytes, String reason) {
    FixState asked = state.fixes().get(FixState.orphanId(file));
    return FixData.sign(
        new Fix(
            FixType.CLEAN,
            null,
            reason,
            0,
            bytes,
            FixType.CLEAN.priority(),
            asked == null ? "waiting" : holders.stateOf(asked, false),
            asked == null ? null : asked.lastError(),
            ""),
        FixState.orphanId(file),
        file,
        storage.genesis());
  }

  /** Pins of copies that no longer need their source. */
  void stalePins(List<Fix> found) throws IOException {
    for (Pin pin : neighbours.pins().stale(state)) {
      String reason =
          "nothing needs the pin that kept it for image "
              + pin.targetImageId()
              + " since "
              + pin.since();
      found.add(
          FixData.sign(
              new Fix(
                  FixType.CLEAN,
                  pin.imageId(),
                  reason,
                  0,
                  0,
                  FixType.CLEAN.priority(),
                  "waiting",
                  null,
                  ""),
              PinReview.fixId(pin),
              null,
              storage.genesis()));
    }
  }
}
