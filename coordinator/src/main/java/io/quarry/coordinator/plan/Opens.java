package io.quarry.coordinator.plan;

import org.pcollections.HashTreePMap;
import org.pcollections.PMap;

/** The present uses of images, by image and by volume. Immutable. */
record Opens(PMap<String, Open> all, Index byImage, Index byVolume) {
  static final Opens NONE = new Opens(HashTreePMap.empty(), Index.EMPTY, Index.EMPTY);

  Opens plus(Open open) {
    Opens without = minus(open.id());
    Index volumes = without.byVolume;
    for (String volumeId : open.volumes()) {
      volumes = volumes.plus(volumeId, open.id());
    }
    return new Opens(
        without.all.plus(open.id(), open),
        without.byImage.plus(open.imageId(), open.id()),
        volumes);
  }

  Opens minus(String id) {
    Open open = all.get(id);
    if (open == null) {
      return this;
    }
    Index volumes = byVolume;
    for (String volumeId : open.volumes()) {
      volumes = volumes.minus(volumeId, id);
    }
    return new Opens(all.minus(id), byImage.minus(open.imageId(), id), volumes);
  }
}
