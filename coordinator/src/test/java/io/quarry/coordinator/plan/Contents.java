package io.quarry.coordinator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The reference model: the visible images, and the content of each image as a list of writes,
 * hidden images too. The model follows granted requests, and knows nothing of volumes, files and
 * fixes.
 */
public final class Contents {
  private final Map<String, List<String>> ofImage = new HashMap<>();
  private final Set<String> visible = new TreeSet<>();

  /** The content of the image; null for an image whose source does not exist. */
  public @Nullable List<String> of(String imageId) {
    return ofImage.get(imageId);
  }

  public void write(String imageId, String what) {
    ofImage.computeIfPresent(imageId, (ignored, content) -> plus(content, what));
  }

  private static List<String> plus(List<String> content, String what) {
    return java.util.stream.Stream.concat(content.stream(), java.util.stream.Stream.of(what))
        .toList();
  }

  /**
   * @param source the content of an image of another repository, if the request copies that image
   *     or makes a disk over it
   */
  public void follow(
      Request request,
      RepositoryState before,
      RepositoryState after,
      @Nullable List<String> source) {
    switch (request) {
      case CreateVirtualDisk create -> {
        visible.add(create.imageId());
        String base = create.baseSnapshotId();
        if (create.elsewhere() != null && base != null && !ofImage.containsKey(base)) {
          // An invisible copy of the base may come as well; the model forgets it below if not.
          put(base, source);
        }
        same(create.imageId(), base);
      }
      case CreateSnapshot create -> {
        visible.add(create.snapshotId());
        same(create.snapshotId(), create.diskId());
      }
      case ResizeImage resize -> freeze(resize.hiddenSnapshotId(), resize.imageId(), before, after);
      case PinForCopy pin -> freeze(pin.hiddenSnapshotId(), pin.imageId(), before, after);
      case CopyImage copy -> {
        visible.add(copy.imageId());
        if (after.volumes().containsKey(copy.volumeId())) {
          put(copy.imageId(), source);
        }
      }
      case FinishUpload upload -> ofImage.put(upload.imageId(), List.of(upload.uploadId()));
      case RemoveImage remove -> remove(remove, before, after);
      case RestoreImage restore -> visible.add(restore.imageId());
      case BeginMergeInPlace begin -> spoil(begin, after);
      case CloseImage _,
          OpenImage _,
          BeginUpload _,
          ReapOpens _,
          EndDeadOpens _,
          FenceOpens _,
          PinAsBase _,
          Unpin _,
          SetUserData _,
          CancelRequest _,
          EnableFeatures _,
          WitnessVolumes _,
          AdoptGrowth _,
          QueueFix _,
          GrantFixes _,
          StopFix _,
          PauseFix _,
          ResumeFix _,
          FailFix _,
          FinishMend _,
          FinishReplacement _,
          LeaveMergeInPlace _,
          FinishMergeInPlace _,
          TombstoneVolume _,
          PurgeVolume _,
          FinishOrphan _,
          GrowPool _,
          ReserveExtents _,
          MapFiles _,
          UnmapFiles _,
          FenceMappings _,
          FreeExtents _,
          ClaimWork _,
          SaveCheckpoint _,
          ForgetWork _ -> {}
    }
    ofImage.keySet().retainAll(after.images().keySet());
    assertThat(after.images().values().stream().filter(Image::visible).map(Image::id))
        .as("visible images")
        .containsExactlyElementsOf(visible);
  }

  /**
   * No VM that writes loses its disk unasked; uploads and downloads of the disk end (12.13, R15).
   */
  private void remove(RemoveImage remove, RepositoryState before, RepositoryState after) {
    visible.remove(remove.imageId());
    for (String id : before.opensOf(remove.imageId())) {
      Open open = Objects.requireNonNull(before.opens().get(id));
      boolean own = open.fills() != null || open.incarnation() != null;
      assertThat(own || open.readOnly() || remove.force()).as("%s by %s", remove, open).isTrue();
      assertThat(after.opens().containsKey(id)).as("%s by %s", remove, open).isEqualTo(!own);
    }
  }

  /** The merged images lose their content from now on. */
  private void spoil(BeginMergeInPlace begin, RepositoryState after) {
    Volume better = Objects.requireNonNull(after.volumes().get(begin.volumeId()));
    Image image = Objects.requireNonNull(after.images().get(better.imageId()));
    for (Image below : after.chainOf(image).subList(1, after.chainOf(image).size())) {
      ofImage.remove(below.id());
      Volume.Writer writer = after.volumeOf(below).writer();
      if (writer != null && writer.equals(begin.writer())) {
        return;
      }
    }
  }

  private void freeze(
      String hiddenId, String imageId, RepositoryState before, RepositoryState after) {
    if (after.images().containsKey(hiddenId) && !before.images().containsKey(hiddenId)) {
      same(hiddenId, imageId);
    }
  }

  private void same(String imageId, @Nullable String as) {
    put(imageId, as == null ? List.of() : ofImage.get(as));
  }

  private void put(String imageId, @Nullable List<String> content) {
    if (content == null) {
      ofImage.remove(imageId);
    } else {
      ofImage.put(imageId, content);
    }
  }

  /** For messages. */
  @Override
  public String toString() {
    return Objects.toString(new TreeMap<>(ofImage));
  }
}
