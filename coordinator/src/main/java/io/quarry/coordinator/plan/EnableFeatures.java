package io.quarry.coordinator.plan;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The log gets features that it does not have yet. The caller has seen to it that all hosts which
 * use the repository know them: there is no way back.
 */
public record EnableFeatures(List<Feature> features) implements Request {
  public EnableFeatures(@Nullable List<Feature> features) {
    this.features = Checked.list("features", features);
    this.features.forEach(feature -> Checked.name("feature", feature.name()));
  }

  @Override
  public Reply plan(Transaction draft) {
    for (Feature feature : draft.state().schema().lacking(features)) {
      if (!Feature.KNOWN.contains(feature)) {
        throw PlanErrors.featureUnknown(feature);
      }
      draft.add(new Change.PutFeature(feature));
    }
    return draft.reply(this, String.join(",", Feature.names(features)));
  }
}
