package io.quarry.coordinator.plan;

import org.pcollections.HashTreePMap;
import org.pcollections.PMap;

/** What copies keep while they are made, by image. Immutable. */
record Pins(PMap<String, Pin> all, Index byImage) {
  static final Pins NONE = new Pins(HashTreePMap.empty(), Index.EMPTY);

  Pins plus(Pin pin) {
    Pins without = minus(pin.id());
    Index images = without.byImage.plus(pin.imageId(), pin.id()).plus(pin.baseImageId(), pin.id());
    return new Pins(without.all.plus(pin.id(), pin), images);
  }

  Pins minus(String id) {
    Pin pin = all.get(id);
    if (pin == null) {
      return this;
    }
    Index images = byImage.minus(pin.imageId(), id).minus(pin.baseImageId(), id);
    return new Pins(all.minus(id), images);
  }
}
