package io.quarry.coordinator.plan;

import org.pcollections.HashTreePMap;
import org.pcollections.PMap;

/** The pins for other repositories, by image and by volume. Immutable. */
record Pins(PMap<String, Pin> all, Index byImage, Index byVolume) {
  static final Pins NONE = new Pins(HashTreePMap.empty(), Index.EMPTY, Index.EMPTY);

  Pins plus(Pin pin) {
    Pins without = minus(pin.id());
    Index images = without.byImage.plus(pin.imageId(), pin.id()).plus(pin.baseImageId(), pin.id());
    Index volumes = without.byVolume;
    for (String volumeId : pin.volumes()) {
      volumes = volumes.plus(volumeId, pin.id());
    }
    return new Pins(without.all.plus(pin.id(), pin), images, volumes);
  }

  Pins minus(String id) {
    Pin pin = all.get(id);
    if (pin == null) {
      return this;
    }
    Index images = byImage.minus(pin.imageId(), id).minus(pin.baseImageId(), id);
    Index volumes = byVolume;
    for (String volumeId : pin.volumes()) {
      volumes = volumes.minus(volumeId, id);
    }
    return new Pins(all.minus(id), images, volumes);
  }
}
