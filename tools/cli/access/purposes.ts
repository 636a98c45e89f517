// Purposes by their numbers from 1 on (PROTOCOL.md, access), with the names of W3C's Data Privacy Vocabulary where it has one.

export const purposes = [
  "ServiceProvision",
  "Billing",
  "EnergyManagement",
  "GridOperation",
  "CommunitySharing",
  "MarketSettlement",
  "AcademicResearch",
  "PublicStatistics",
  "RegulatoryCompliance",
  "FraudPrevention",
  "CreditAssessment",
  "LegalObligation",
] as const;
