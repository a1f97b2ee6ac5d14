package io.quarry.coordinator.plan;

import org.pcollections.HashTreePMap;
import org.pcollections.PMap;

/** What copies keep while they are made, by image. Immutable. */
record Pins(PMap<String, Pin> all, Index byImage) {
  static final Pins NONE = new Pins(HashTreePMap.empty(), Index.EMPTY);

  Pins plus(Pin pin) {
    Pins without = minus(pin.id());
    return new Pins(without.all.plus(pin.id(), pin), without.byImage.plus(pin.imageId(), pin.id()));
  }

  Pins minus(String id) {
    Pin pin = all.get(id);
    return pin == null ? this : new Pins(all.minus(id), byImage.minus(pin.imageId(), id));
  }
}
