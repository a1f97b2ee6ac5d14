package io.quarry.agent.call;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.Committed;
import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ImageInfo;
import io.quarry.common.api.StorageApi;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.UploadInfo;
import io.quarry.common.model.FixType;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Progress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What a storage in memory holds, and the steps of its one host. */
abstract class FakeState implements StorageApi {
  public static final Instant NOON = Instant.parse("2026-03-01T12:00:00Z");
  static final long GIB = 1L << 30;
  private static final int STEPS = 4;

  final Map<String, ConnectRequest> repositories = new TreeMap<>();
  final Map<String, Map<String, Image>> images = new TreeMap<>();
  final List<Work> works = new ArrayList<>();
  final List<OpenOf> opens = new ArrayList<>();

  /** Uploads that are not finished, by image. */
  final Map<String, UploadInfo> uploads = new TreeMap<>();

  private final Map<String, Integer> counters = new TreeMap<>();
  long commit;

  /** Makes every fix fail from now on. */
  public boolean poisoned;

  /** Makes every fix stand still from now on. */
  public boolean stalled;

  /** What the best representation is that fixes reach. */
  public ImageState best = ImageState.OPTIMIZED;

  static final class Image {
    final String id;
    final ImageKind kind;
    long size;
    ObjectNode userData;
    @Nullable String parent;
    ImageState state = ImageState.BROKEN;
    boolean hidden;
    @Nullable Instant retainedUntil;

    Image(String id, ImageKind kind, long size, @Nullable String parent, ObjectNode userData) {
      this.id = id;
      this.kind = kind;
      this.size = size;
      this.parent = parent;
      this.userData = userData;
    }
  }

  static final class Work {
    final String id;
    final String repo;
    final FixType type;
    final Image image;
    String state;
    int step;
    @Nullable String lastError;

    Work(String id, String repo, FixType type, Image image, boolean queued) {
      this.id = id;
      this.repo = repo;
      this.type = type;
      this.image = image;
      this.state = queued ? "queued" : "waiting";
    }

    Progress progress() {
      return new Progress(
          "host-1",
          step < 2 ? "1/2" : "2/2",
          step < 2 ? "copy" : "publish",
          step * 100 / STEPS,
          step * GIB / STEPS,
          GIB,
          lastError,
          NOON.plusSeconds(step));
    }
  }

  record OpenOf(String imageId, ImageInfo.Open open) {}

  Map<String, Image> images(String repoId) {
    if (!repositories.containsKey(repoId)) {
      throw new StorageException(
          ErrorCode.REPOSITORY_NOT_CONNECTED,
          "no repository of this name is connected here",
          repoId,
          "Connect it with quarry repo connect, or ask another agent.");
    }
    return Objects.requireNonNull(images.get(repoId));
  }

  Image image(String repoId, String imageId) {
    Image image = images(repoId).get(imageId);
    if (image == null || image.hidden) {
      throw notFound(imageId);
    }
    return image;
  }

  static StorageException notFound(String imageId) {
    return new StorageException(
        ErrorCode.IMAGE_NOT_FOUND,
        "the repository has no such image",
        imageId,
        "See quarry image list.");
  }

  String name(String kind) {
    return kind + "-" + counters.merge(kind, 1, Integer::sum);
  }

  final Committed committed() {
    return new Committed(++commit);
  }

  void work() {
    if (stalled) {
      return;
    }
    for (Work work : List.copyOf(works)) {
      if (work.state.equals("queued") || work.state.equals("running")) {
        work.state = "running";
        if (poisoned) {
          work.state = "parked";
          work.lastError = "the backing file is not a qcow2 image";
        } else if (++work.step == STEPS) {
          work.image.state = best;
          works.remove(work);
          if (work.type == FixType.CLEAN) {
            images(work.repo).remove(work.image.id);
          }
        }
      }
    }
  }

  /** The host finishes all that is queued. */
  public final void settle() {
    for (int step = 0; step < STEPS; step++) {
      work();
    }
  }
}
