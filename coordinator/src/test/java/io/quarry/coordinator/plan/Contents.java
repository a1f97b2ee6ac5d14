package io.quarry.coordinator.plan;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What is in the volumes, as a list of writes: volumes that are made without data hold nothing, a
 * copy holds what it was copied from, whoever may write writes, and a replacement holds what it was
 * made from <em>when it was begun</em>. Whatever is planned, no image's content may change but by
 * its writers, and nobody may lose a volume that he was handed out.
 */
final class Contents {
  private final Map<String, List<String>> ofVolume = new HashMap<>();
  private final Map<String, List<String>> ofImage = new HashMap<>();
  private int writes;

  /** Follows a request from one state to the next. */
  void follow(RepositoryState before, RepositoryState after, List<Change> changes) {
    for (Change change : changes) {
      if (change instanceof Change.PutVolume put) {
        begin(put.volume(), after);
        finishUpload(put.volume(), before);
      }
    }
    for (Image image : after.images().values()) {
      if (after.isWhole(image)) {
        List<String> content = content(image, after);
        List<String> known = ofImage.putIfAbsent(image.id(), content);
        assertThat(known == null ? content : known).as("content of %s", image).isEqualTo(content);
      }
    }
    ofImage.keySet().retainAll(after.images().keySet());
    for (Open open : after.opens().values()) {
      assertThat(open.volumes())
          .as("%s", open)
          .allSatisfy(id -> assertThat(after.volumes().get(id)).matches(Contents::whole));
      if (!open.readOnly() && open.fills() == null && !before.opens().containsKey(open.id())) {
        write(open);
      }
    }
  }

  private static boolean whole(Volume volume) {
    return volume != null && volume.stage() == Volume.Stage.READY;
  }

  private void begin(Volume volume, RepositoryState after) {
    if (volume.stage() != Volume.Stage.INTENDED || ofVolume.containsKey(volume.id())) {
      return;
    }
    List<String> content = new ArrayList<>();
    if (volume.source() != null) {
      content.add("copy of " + volume.source().imageId());
      ofImage.remove(volume.imageId());
    } else if (volume.replaces() != null) {
      Image image = requireNonNull(after.images().get(volume.imageId()));
      List<String> below =
          volume.parentImageId() == null
              ? List.of()
              : content(requireNonNull(after.images().get(volume.parentImageId())), after);
      List<String> all = content(image, after);
      content.addAll(all.subList(below.size(), all.size()));
    }
    ofVolume.put(volume.id(), content);
  }

  /** An upload takes the place of all that the disk held. */
  private void finishUpload(Volume volume, RepositoryState before) {
    boolean uploaded =
        before.opens().values().stream().anyMatch(open -> volume.id().equals(open.fills()));
    if (uploaded && whole(volume)) {
      String what = "upload " + writes++;
      ofVolume.put(volume.id(), new ArrayList<>(List.of(what)));
      ofImage.put(volume.imageId(), new ArrayList<>(List.of(what)));
    }
  }

  private List<String> content(Image image, RepositoryState state) {
    List<String> content = new ArrayList<>();
    for (Image layer : state.chainOf(image).reversed()) {
      content.addAll(requireNonNull(ofVolume.get(layer.volumeId())));
    }
    return content;
  }

  /** What he opened is what he changes, and nobody else sees it. */
  private void write(Open open) {
    String what = "write " + writes++;
    requireNonNull(ofVolume.get(open.volumes().getFirst())).add(what);
    requireNonNull(ofImage.get(open.imageId())).add(what);
  }
}
