// What happened in a run, counted: the proof that faults did, and that they were lived through.

/** Counts of one run; the same for the same seed. */
export interface Coverage {
  blocks: number;
  records: number;
  /** of these, operations of participants */
  operations: number;
  receipts: number;
  /** rounds beyond the first, over all sealed blocks */
  roundChanges: number;
  meterViolations: number;
  restarts: number;
  /** of these, deaths within a call of the outside */
  crashesInCalls: number;
  /** transactions that a crash undid */
  writesLost: number;
  partitions: number;
  /** of these, those with links cut in one direction alone */
  oneWayCuts: number;
  linksHealed: number;
  framesLost: number;
  framesDoubled: number;
  /** overtaken by later ones, as a rule */
  framesDelayed: number;
  /** blocks taken from a peer by a node that was behind */
  catchUps: number;
  consensusRecordsLost: number;
  consensusRecordsDamaged: number;
  rowsDamaged: number;
  /** stores that were set aside, with what they alone had taken over */
  disksRepaired: number;
  disksWiped: number;
  disksFull: number;
  disksSlow: number;
  clockSteps: number;
  powerCutsOfMeters: number;
  /** receipts that came to an agent before it knew those who had sealed them */
  receiptsBeforeMembers: number;
  /** handovers that came to an agent before it knew those who had sealed them */
  handoversOutOfStep: number;
  /** receipts of an agent that the certificate of a later block proved, or its own a while after it came */
  receiptsDeferred: number;
  /** deferred receipts that a forged one made worth nothing */
  receiptsForged: number;
  /** refusals that a faulty member's broker made up, and records that it did not pass on */
  refusalsForged: number;
  recordsKeptBack: number;
  /** frames of faulty members that were changed, held back, made up, or not let in */
  equivocated: number;
  withheld: number;
  forged: number;
  replayed: number;
  flooded: number;
  /** moments at which a member was made to work for nothing */
  drowned: number;
  /** times at which sealed records were sent again in temporary blocks of a faulty member */
  repeated: number;
  lied: number;
  /** frames with extreme numbers */
  exaggerated: number;
  /** messages between chains that no chain has sent */
  fabricated: number;
  /** credentials that are none, shown to nodes with a reading each */
  impostures: number;
  /** records signed with a key that is certified for two roles */
  twoRoles: number;
  censored: number;
  /** genuine certificates with one signature that is not */
  certificatesCorrupted: number;
  /** places where a member signed two values, seen by a correct node */
  equivocations: number;
  /** heights at which a member's evidence is sealed */
  equivocationsSealed: number;
  /** nodes whose word on a temporary block a chain proves false */
  falseWordsSealed: number;
  /** orders of the authority that are sealed, and offers of some that do not hold */
  ordersSealed: number;
  ordersRefused: number;
  /** of the sealed ones, those by which a meter is suspended, resumed or ended */
  metersRuled: number;
  /** credentials on a chain that have taken the place of ones that ended */
  credentialsProlonged: number;
  /** heights from which a chain has other members */
  memberChanges: number;
  /** of the sealed orders, those about contracts */
  contractsOrdered: number;
  /** blocks whose contracts a node was to run */
  runsAsked: number;
  /** of these, those that a lost thread did not answer */
  engineFaults: number;
  /** calls of contracts, counted at each node, for which their block had too little left */
  postponed: number;
  /** sealed operations for which a contract ran, and of these those whose run failed */
  runsSealed: number;
  runsFailed: number;
  /** sealed operations that came too late for their contract */
  operationsExpired: number;
  /** effects, messages, denials and violations of contracts that are sealed */
  effectsSealed: number;
  /** messages of other chains that chains have taken, and deadlines that fell due */
  messagesTaken: number;
  deadlines: number;
  /** slots that chains have closed, with their rows; of these such that lack an energy */
  slotsClosed: number;
  slotRows: number;
  slotRowsUnknown: number;
  /** that stand on readings which were doubted */
  slotRowsDoubted: number;
  /** blocks behind which rows of a closed slot were left to show */
  slotRowsLeft: number;
  /** assignments of meters to points in sealed orders */
  metersAssigned: number;
  /** sealed readings that hide something */
  hiddenSealed: number;
  /** answers to members that lack what readings hide, and parts of shares that go to later members */
  disclosuresServed: number;
  sharesDivided: number;
  /** frames with which a faulty member states ciphertexts that open nothing */
  invented: number;
  /** blocks whose contracts a faulty member ran otherwise than they run */
  misrun: number;
  /** votes of faulty nodes that are no members there */
  intruded: number;
  /** false evidence that faulty members would have sealed */
  accused: number;
  /** sets of anchors that faulty members made up */
  misanchored: number;
  /** headers of other chains that sealed blocks name */
  anchorsSealed: number;
  /** times that one chain stood still while others went on */
  standstills: number;
  /** times that a node kept another one out for what it had sent */
  shutOut: number;
}

export function createCoverage(): Coverage {
  return {
    blocks: 0,
    records: 0,
    operations: 0,
    receipts: 0,
    roundChanges: 0,
    meterViolations: 0,
    restarts: 0,
    crashesInCalls: 0,
    writesLost: 0,
    partitions: 0,
    oneWayCuts: 0,
    linksHealed: 0,
    framesLost: 0,
    framesDoubled: 0,
    framesDelayed: 0,
    catchUps: 0,
    consensusRecordsLost: 0,
    consensusRecordsDamaged: 0,
    rowsDamaged: 0,
    disksRepaired: 0,
    disksWiped: 0,
    disksFull: 0,
    disksSlow: 0,
    clockSteps: 0,
    powerCutsOfMeters: 0,
    receiptsBeforeMembers: 0,
    handoversOutOfStep: 0,
    receiptsDeferred: 0,
    receiptsForged: 0,
    refusalsForged: 0,
    recordsKeptBack: 0,
    equivocated: 0,
    withheld: 0,
    forged: 0,
    replayed: 0,
    flooded: 0,
    drowned: 0,
    repeated: 0,
    lied: 0,
    exaggerated: 0,
    fabricated: 0,
    impostures: 0,
    twoRoles: 0,
    censored: 0,
    certificatesCorrupted: 0,
    equivocations: 0,
    equivocationsSealed: 0,
    falseWordsSealed: 0,
    ordersSealed: 0,
    ordersRefused: 0,
    metersRuled: 0,
    credentialsProlonged: 0,
    memberChanges: 0,
    contractsOrdered: 0,
    runsAsked: 0,
    engineFaults: 0,
    postponed: 0,
    runsSealed: 0,
    runsFailed: 0,
    operationsExpired: 0,
    effectsSealed: 0,
    messagesTaken: 0,
    deadlines: 0,
    slotsClosed: 0,
    slotRows: 0,
    slotRowsUnknown: 0,
    slotRowsDoubted: 0,
    slotRowsLeft: 0,
    metersAssigned: 0,
    hiddenSealed: 0,
    disclosuresServed: 0,
    sharesDivided: 0,
    invented: 0,
    misrun: 0,
    intruded: 0,
    accused: 0,
    misanchored: 0,
    anchorsSealed: 0,
    standstills: 0,
    shutOut: 0,
  };
}
