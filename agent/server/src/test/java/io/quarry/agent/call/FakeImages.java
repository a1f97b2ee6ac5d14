package io.quarry.agent.call;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.Committed;
import io.quarry.common.api.CopyImageRequest;
import io.quarry.common.api.CreateSnapshotRequest;
import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ImageExplanation;
import io.quarry.common.api.ImageExplanation.ExplainedFix;
import io.quarry.common.api.ImageExplanation.Need;
import io.quarry.common.api.ImageExplanation.Obstacle;
import io.quarry.common.api.ImageInfo;
import io.quarry.common.api.ImagePage;
import io.quarry.common.api.ImageQuery;
import io.quarry.common.api.ImageStatus;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.FixType;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Visibility;
import io.quarry.common.model.VolumeFormat;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Images, from their creation to their removal. */
abstract class FakeImages extends FakeHosts {
  private static final int PAGE = 2;

  /** Answers this to looks at a status instead, that many times. */
  public @Nullable StorageException trouble;

  public int troubles;

  /** What was committed under a request id. */
  final Map<String, CreatedImage> answers = new HashMap<>();

  @Override
  public CreatedImage createVirtualDisk(
      String repoId, CreateVirtualDiskRequest request, @Nullable String requestId) {
    if (request.size() % 512 != 0) {
      throw StorageException.invalid(
          "size", request.size() + " bytes are not whole sectors", "Give a multiple of 512.");
    }
    CreatedImage known = requestId == null ? null : answers.get(requestId);
    if (known != null) {
      return known;
    }
    CreatedImage created =
        create(
            repoId,
            new Image(
                name("disk"),
                ImageKind.VIRTUAL_DISK,
                request.size(),
                request.baseSnapshotId(),
                request.userData()),
            request.options().autoFix());
    if (requestId != null) {
      answers.put(requestId, created);
    }
    return created;
  }

  @Override
  public CreatedImage createSnapshot(
      String repoId, CreateSnapshotRequest request, @Nullable String requestId) {
    Image disk = image(repoId, request.baseVirtualDiskId());
    Image snapshot =
        new Image(name("snapshot"), ImageKind.SNAPSHOT, disk.size, disk.parent, request.userData());
    snapshot.state = disk.state;
    images(repoId).put(snapshot.id, snapshot);
    disk.parent = snapshot.id;
    disk.state = ImageState.BROKEN;
    works.add(new Work(name("fix"), repoId, FixType.MEND, disk, request.options().autoFix()));
    return new CreatedImage(snapshot.id, ++commit);
  }

  @Override
  public CreatedImage copyImage(
      String repoId, CopyImageRequest request, @Nullable String requestId) {
    Image source =
        images.values().stream()
            .flatMap(each -> each.values().stream())
            .filter(each -> each.id.equals(request.imageId()))
            .findFirst()
            .orElseThrow(() -> notFound(request.imageId()));
    String id = source.kind == ImageKind.SNAPSHOT ? source.id : name("disk");
    return create(
        repoId,
        new Image(id, source.kind, source.size, request.baseImageId(), request.userData()),
        request.options().autoFix());
  }

  private CreatedImage create(String repoId, Image image, boolean autoFix) {
    images(repoId).put(image.id, image);
    works.add(new Work(name("fix"), repoId, FixType.MEND, image, autoFix));
    return new CreatedImage(image.id, ++commit);
  }

  @Override
  public Committed removeImage(
      String repoId, String imageId, RemoveImageOptions options, @Nullable String requestId) {
    Image image = image(repoId, imageId);
    boolean written =
        opens.stream().anyMatch(each -> each.imageId().equals(imageId) && !each.open().readOnly());
    if (written && !options.force()) {
      throw new StorageException(
          ErrorCode.IMAGE_IN_USE, "a VM writes to the image", imageId, "Close it, or use --force.");
    }
    image.hidden = true;
    image.retainedUntil = NOON.plus(options.retain());
    works.removeIf(work -> work.image == image);
    works.add(new Work(name("fix"), repoId, FixType.CLEAN, image, options.autoFix()));
    return committed();
  }

  @Override
  public Committed restoreImage(String repoId, String imageId, @Nullable String requestId) {
    Image image = images(repoId).get(imageId);
    if (image == null) {
      throw notFound(imageId);
    }
    image.hidden = false;
    image.retainedUntil = null;
    works.removeIf(work -> work.image == image);
    return committed();
  }

  @Override
  public ImagePage listImages(String repoId, ImageQuery query) {
    List<ImageInfo> found =
        images(repoId).values().stream()
            .filter(each ->
                query.visibility() == Visibility.ALL
                    || each.hidden == (query.visibility() == Visibility.REMOVED))
            .filter(each -> query.kind() == null || query.kind() == each.kind)
            .filter(each -> query.state() == null || query.state() == each.state)
            .filter(each -> query.after() == null || each.id.compareTo(query.after()) > 0)
            .map(each -> info(repoId, each))
            .toList();
    // Small pages, so that callers have to turn them.
    int limit = Math.min(query.limit(), PAGE);
    return found.size() <= limit
        ? new ImagePage(found, null, commit)
        : new ImagePage(found.subList(0, limit), found.get(limit - 1).imageId(), commit);
  }

  @Override
  public ImageInfo getImage(String repoId, String imageId, long atLeast) {
    Image image = image(repoId, imageId);
    return info(repoId, image);
  }

  private ImageInfo info(String repoId, Image image) {
    return new ImageInfo(
        image.id,
        image.kind,
        !image.hidden,
        image.state,
        reason(image),
        image.size,
        image.size / 2,
        image.size / 4,
        image.parent == null ? VolumeFormat.RAW : VolumeFormat.QCOW2,
        image.parent,
        images(repoId).values().stream()
            .filter(each -> image.id.equals(each.parent))
            .map(each -> each.id)
            .toList(),
        image.userData,
        NOON,
        image.retainedUntil,
        opens.stream().filter(open -> open.imageId().equals(image.id)).map(OpenOf::open).toList(),
        commit);
  }

  private static @Nullable String reason(Image image) {
    return image.state == ImageState.BROKEN ? "its data is not complete" : null;
  }

  @Override
  public ImageStatus getImageStatus(String repoId, String imageId, StatusQuery query) {
    if (trouble != null && troubles-- > 0) {
      throw trouble;
    }
    Image image = image(repoId, imageId);
    if (query.until() != null) {
      work();
    }
    Optional<Work> work = works.stream().filter(each -> each.image == image).findFirst();
    return new ImageStatus(
        image.state,
        reason(image),
        commit,
        work.filter(each -> !each.state.equals("waiting")).map(Work::progress).orElse(null));
  }

  @Override
  public ImageExplanation explainImage(String repoId, String imageId, long atLeast) {
    Image image = image(repoId, imageId);
    Work work = works.stream().filter(each -> each.image == image).findFirst().orElse(null);
    return new ImageExplanation(
        imageId,
        image.kind,
        true,
        image.state,
        work == null
            ? List.of("It is optimized: nothing is missing.")
            : List.of("It is broken: its data is not complete.", "No host works on it."),
        reason(image),
        null,
        work == null
            ? null
            : new ExplainedFix(
                work.id, work.type, work.state, null, Obstacle.PARKED, null, work.lastError, null),
        uploads.containsKey(imageId)
            ? List.of(
                new Need(
                    "open",
                    Objects.requireNonNull(uploads.get(imageId)).uploadId(),
                    null,
                    "host-1",
                    "upload",
                    null))
            : List.of(),
        0,
        commit);
  }

  @Override
  public Committed setUserData(
      String repoId, String imageId, ObjectNode userData, @Nullable String requestId) {
    image(repoId, imageId).userData = userData;
    return committed();
  }

  @Override
  public Committed resizeImage(
      String repoId, String imageId, long size, @Nullable String requestId) {
    Image image = image(repoId, imageId);
    if (size < image.size) {
      throw StorageException.invalid("size", "disks only grow", "Give at least " + image.size);
    }
    image.size = size;
    return committed();
  }

  public final int imageCount() {
    return images.values().stream().mapToInt(Map::size).sum();
  }
}
