package io.quarry.agent.chaos;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.agent.chaos.RecordingClient.Ask;
import io.quarry.agent.chaos.RecordingClient.Errand;
import io.quarry.common.api.CopyImageRequest;
import io.quarry.common.api.CreateSnapshotRequest;
import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.StorageApi;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.Strategy;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The calls that make images. */
final class CreateImages {
  /** The label in an image's user data: the request id of the call that made it. */
  static final String MAKER = "maker";

  /** Counts the changes of the user data. */
  static final String CHANGES = "changes";

  private static final int CHUNKS_SMALL = 48;
  private static final int CHUNKS_LARGE = 640;
  private static final int GROWTH_MAX = 16;

  /**
   * Refusals for a customer that uses a snapshot which others may remove, or an image that is not
   * ready yet.
   */
  private static final Set<ErrorCode> BASE =
      EnumSet.of(ErrorCode.IMAGE_NOT_FOUND, ErrorCode.IMAGE_BROKEN, ErrorCode.IMAGE_IN_USE);

  private static final Set<ErrorCode> OWN =
      EnumSet.of(ErrorCode.IMAGE_BROKEN, ErrorCode.IMAGE_IN_USE);

  private final SharedWorkload market;
  private final Random random;
  private final StorageApi api;
  private final RecordingClient teller;
  private final List<Owned> images;

  CreateImages(
      SharedWorkload market,
      Random random,
      StorageApi api,
      RecordingClient teller,
      List<Owned> images) {
    this.market = market;
    this.random = random;
    this.api = api;
    this.teller = teller;
    this.images = images;
  }

  static ObjectNode userData(String maker, int changes) {
    return JsonNodeFactory.instance.objectNode().put(MAKER, maker).put(CHANGES, changes);
  }

  void emptyDisk() {
    int largest = random.nextInt(4) == 0 ? CHUNKS_LARGE : CHUNKS_SMALL;
    disk(anyRepository(), Content.zeros(1 + random.nextInt(largest)), null, Set.of());
  }

  /** Makes a disk over any customer's snapshot, in the same repository or the other one. */
  void overlay() {
    List<Owned> bases = List.copyOf(market.snapshots().values());
    if (bases.isEmpty()) {
      emptyDisk();
      return;
    }
    Owned base = bases.get(random.nextInt(bases.size()));
    Content content =
        base.content.grownTo(
            base.content.chunks() + random.nextInt(2) * random.nextInt(GROWTH_MAX));
    String repoId = random.nextInt(3) == 0 ? anyRepository() : base.repoId;
    disk(repoId, content, base.imageId, BASE);
  }

  private void disk(String repoId, Content content, @Nullable String base, Set<ErrorCode> mayMeet) {
    String maker = teller.nextId();
    CreateVirtualDiskRequest request =
        new CreateVirtualDiskRequest(content.bytes(), base, userData(maker, 0), options());
    Ask ask = (to, requestId) -> to.createVirtualDisk(repoId, request, requestId);
    teller.run(
        new Errand(
            "createVirtualDisk",
            repoId,
            List.of(),
            mayMeet,
            api,
            false,
            ask,
            answer ->
                take(new Owned(repoId, answer.id(), ImageKind.VIRTUAL_DISK, maker, content))));
  }

  private void take(Owned disk) {
    images.add(disk);
    market.bait().accept(disk);
  }

  void snapshot(Owned disk) {
    String maker = teller.nextId();
    Content content = disk.content;
    CreateSnapshotRequest request =
        new CreateSnapshotRequest(disk.imageId, userData(maker, 0), options());
    Ask ask = (to, requestId) -> to.createSnapshot(disk.repoId, request, requestId);
    teller.run(
        new Errand(
            "createSnapshot",
            disk.repoId,
            List.of(disk),
            OWN,
            api,
            false,
            ask,
            answer ->
                offer(new Owned(disk.repoId, answer.id(), ImageKind.SNAPSHOT, maker, content))));
  }

  private void offer(Owned snapshot) {
    images.add(snapshot);
    market.snapshots().put(snapshot.repoId + "/" + snapshot.imageId, snapshot);
  }

  /**
   * Copies an image into the other repository. A snapshot keeps its id, and may exist there
   * already.
   */
  void copy(Owned source) {
    String target = otherThan(source.repoId);
    boolean snapshot = source.kind == ImageKind.SNAPSHOT;
    Owned there = find(target, source.imageId);
    if (snapshot && there != null) {
      return;
    }
    String maker = teller.nextId();
    Content content = source.content;
    ImageOptions options = options();
    CopyImageRequest request =
        new CopyImageRequest(
            source.imageId,
            null,
            userData(maker, 0),
            new ImageOptions(
                options.autoFix(),
                options.strategy(),
                null,
                Map.of(source.imageId, source.repoId)));
    Ask ask = (to, requestId) -> to.copyImage(target, request, requestId);
    teller.run(
        new Errand(
            "copyImage",
            target,
            List.of(source),
            OWN,
            api,
            false,
            ask,
            answer -> {
              Owned copy = new Owned(target, answer.id(), source.kind, maker, content);
              if (snapshot) {
                offer(copy);
              } else {
                take(copy);
              }
            }));
  }

  private @Nullable Owned find(String repoId, String imageId) {
    return images.stream()
        .filter(each -> each.repoId.equals(repoId) && each.imageId.equals(imageId))
        .findAny()
        .orElse(null);
  }

  private ImageOptions options() {
    return new ImageOptions(
        random.nextInt(12) > 0,
        random.nextInt(3) == 0 ? Strategy.PERFORMANCE : Strategy.SPACE,
        null,
        Map.of());
  }

  private String anyRepository() {
    return market.repositories().get(random.nextInt(market.repositories().size()));
  }

  private String otherThan(String repoId) {
    return market.repositories().stream()
        .filter(each -> !each.equals(repoId))
        .findFirst()
        .orElseThrow();
  }
}
